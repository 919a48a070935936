/* The files of the page, in broker/web/, compiled in as they are; the build makes the arrays. */
#ifndef API_PAGE_H
#define API_PAGE_H

#include <stddef.h>

/* X(file, media type, name of its array) */
#define PAGE_FILES(X)                                                                                        \
	X("page.html", "text/html; charset=utf-8", page_html)                                                \
	X("page.css", "text/css; charset=utf-8", page_css)                                                   \
	X("approvals.js", "text/javascript; charset=utf-8", approvals_js)                                    \
	X("draft.js", "text/javascript; charset=utf-8", draft_js)                                            \
	X("events.js", "text/javascript; charset=utf-8", events_js)                                          \
	X("groups.js", "text/javascript; charset=utf-8", groups_js)                                          \
	X("say.js", "text/javascript; charset=utf-8", say_js)                                                \
	X("stronger.js", "text/javascript; charset=utf-8", stronger_js)                                      \
	X("tables.js", "text/javascript; charset=utf-8", tables_js)                                          \
	X("page.js", "text/javascript; charset=utf-8", page_js)                                              \
	X("call.js", "text/javascript; charset=utf-8", call_js)                                              \
	X("dom.js", "text/javascript; charset=utf-8", dom_js)                                                \
	X("sign_in.js", "text/javascript; charset=utf-8", sign_in_js)                                        \
	X("words.js", "text/javascript; charset=utf-8", words_js)

#define PAGE_DECLARE(file, type, array)                                                                      \
	extern const char array[];                                                                           \
	extern const size_t array##_len;
PAGE_FILES(PAGE_DECLARE)
#undef PAGE_DECLARE

#endif
