/* The supplied access control, deploy/redis.acl, made usable for a test. Asserts by cmocka. */
#ifndef TESTS_SUPPORT_REDIS_ACL_H
#define TESTS_SUPPORT_REDIS_ACL_H

/*
 * Writes a copy to `path` with the password's hash, with the user for replicas, and without the line that would keep the
 * test itself out; without the text `without` as well, unless that is NULL. For redis-server's --include.
 */
void redis_acl_copy(const char *path, const char *password, const char *without);

/* Writes the password to the file `path`, as the broker's redis.password wants it. */
void redis_acl_password(const char *path, const char *password);

#endif
