#include "provision/health.h"

enum order_health health_of(const struct health_signs *signs)
{
	if (signs->done)
		return HEALTH_OK;
	if (signs->misconfigured)
		return signs->status == 404 ? HEALTH_ALIEN : HEALTH_UNAUTHORISED;
	if (signs->alien)
		return HEALTH_ALIEN;
	if (signs->sick || signs->status == 503)
		return HEALTH_FAILING;
	return signs->says_nothing ? HEALTH_UNKNOWN : HEALTH_OK;
}
