/* The body of a batch: what is accepted has bounded ids, none twice, and an order in which all can be done. */
#include <string.h>

#include "api/batch.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct batch batch;
	struct errctx ec = {""};
	unsigned done = 0;

	if (batch_read((const char *)data, size, &batch, &ec) != ERR_OK) {
		REQUIRE(ec.text[0] != '\0');
		return 0;
	}
	REQUIRE(batch.count >= 1 && batch.count <= BATCH_MAX);
	for (size_t i = 0; i < batch.count; i++) {
		const struct batch_item *item = &batch.items[i];

		REQUIRE(memchr(item->id, '\0', sizeof(item->id)) != NULL && item->id[0] != '\0');
		REQUIRE(item->method != NULL && item->url != NULL && item->after < 1u << batch.count);
		REQUIRE((item->after & 1u << i) == 0);
		for (size_t k = 0; k < i; k++)
			REQUIRE(strcmp(batch.items[k].id, item->id) != 0);
	}
	/* One more can be done in each round. */
	for (size_t round = 0; round < batch.count; round++)
		for (size_t i = 0; i < batch.count; i++)
			if ((batch.items[i].after & ~done) == 0)
				done |= 1u << i;
	REQUIRE(done == (1u << batch.count) - 1u);
	batch_release(&batch);
	return 0;
}
