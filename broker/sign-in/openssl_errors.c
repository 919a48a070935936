#include "sign-in/openssl_errors.h"

#include <openssl/err.h>

bool openssl_errors_take(void)
{
	bool short_of_memory = false;

	for (unsigned long error = ERR_get_error(); error != 0; error = ERR_get_error())
		short_of_memory = short_of_memory || ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
	return short_of_memory;
}
