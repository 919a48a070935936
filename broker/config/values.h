/* One value of the file: its text checked against its setting and stored where the setting says. */
#ifndef BROKER_CONFIG_VALUES_H
#define BROKER_CONFIG_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include "config/memory.h"
#include "config/report.h"
#include "config/settings.h"

struct policy_zone;

struct reading {
	struct report *report;
	const char *folder;    /* of the configuration file, with its closing slash; "" = the current one */
	bool skip_files;       /* files that the configuration names are not looked at; tokens stay empty */
	struct memory *memory; /* of the configuration: for what policies point to */
	struct policy_zone **zones; /* those that were needed so far, in that memory */
};

struct value {
	const char *text;
	struct place place;
};

/*
 * Stores the value in the struct at `base` that the setting belongs to. A value that is not acceptable is
 * reported and nothing is stored. Not for sections, lists and references. May read the files that are named.
 */
void value_read(const struct reading *reading, const struct setting *setting, const struct value *value,
		void *base);

/* Control characters do not belong into names, paths and addresses: they could forge lines of logs and reports. */
bool value_has_control(const char *text);

/* Copies into the setting's text field, after the checks that all texts share. False when it was reported. */
bool value_store_text(const struct reading *reading, const struct setting *setting, const struct value *value,
		      void *base);

/* address.c */
struct config;
void value_read_listen(const struct reading *reading, const struct value *value, struct config *config);
void value_read_redis_url(const struct reading *reading, const struct setting *setting,
			  const struct value *value, void *base);
void value_read_issuer_url(const struct reading *reading, const struct setting *setting,
			   const struct value *value, void *base);
void value_read_scim_url(const struct reading *reading, const struct setting *setting,
			 const struct value *value, void *base);
void value_read_hook_url(const struct reading *reading, const struct setting *setting,
			 const struct value *value, void *base);
void value_read_mail_url(const struct reading *reading, const struct setting *setting,
			 const struct value *value, void *base);
/* notices.c */
void value_read_mail_address(const struct reading *reading, const struct setting *setting,
			     const struct value *value, void *base);
bool config_listens_on_loopback(const struct config *config); /* or on a socket */

/* policy_values.c */
void value_read_time(const struct reading *reading, const struct setting *setting, const struct value *value,
		     void *base);
void value_read_day_time(const struct reading *reading, const struct setting *setting,
			 const struct value *value, void *base);
void value_read_pattern(const struct reading *reading, const struct setting *setting,
			const struct value *value, void *base);
/* The zone that the value names, or NULL when it was reported. */
const struct policy_zone *value_find_zone(const struct reading *reading, const struct setting *setting,
					  const struct value *value);
void value_read_zone(const struct reading *reading, const struct setting *setting, const struct value *value,
		     void *base);

/* scim.c */
void value_read_attribute(const struct reading *reading, const struct setting *setting,
			  const struct value *value, void *base);

/* zone.c: from the system's database, once; NULL with errno, ENOENT when there is no such zone. */
const struct policy_zone *zone_load(const struct reading *reading, const char *name);

/* files.c */
void value_read_path(const struct reading *reading, const struct setting *setting, const struct value *value,
		     void *base);
void value_read_file(const struct reading *reading, const struct setting *setting, const struct value *value,
		     void *base);
void value_read_secret(const struct reading *reading, const struct setting *setting,
		       const struct value *value, void *base);
/* Joins the folder of the configuration file and a relative path. False when it does not fit. */
bool path_resolve(const struct reading *reading, const char *path, char *out, size_t size);

#endif
