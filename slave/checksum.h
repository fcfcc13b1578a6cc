/* CRC32C (Castagnoli), for what lies on disk: journal records and identity slots. Its value is part of their formats. */
#ifndef FL_SLAVE_CHECKSUM_H
#define FL_SLAVE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Start with crc 0; feed the result back in to continue over several pieces. */
uint32_t checksum(uint32_t crc, const void *data, size_t size);

#endif
