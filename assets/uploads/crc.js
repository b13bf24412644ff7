// CRC-32 (ISO 3309, as in zip) of a blob, read in pieces of 1 MiB so that a whole part of a file is never in memory.
//
// The browser's own digests are available only over HTTPS, and need all bytes at once.

const PIECE = 1024 * 1024;
const TABLES = Array.from({ length: 8 }, () => new Uint32Array(256));

for (let at = 0; at < 256; at++) {
  let value = at;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  TABLES[0][at] = value;
}
for (let at = 0; at < 256; at++) {
  for (let step = 1; step < 8; step++) TABLES[step][at] = (TABLES[step - 1][at] >>> 8) ^ TABLES[0][TABLES[step - 1][at] & 255];
}
const [T0, T1, T2, T3, T4, T5, T6, T7] = TABLES;

/**
 * Updates a CRC, eight bytes at a time ("slicing by 8", Kounavis and Berry).
 *
 * @param {number} before
 * @param {Uint8Array} bytes
 */
function update(before, bytes) {
  const whole = bytes.length & ~7;
  let crc = before;
  let at = 0;
  while (at < whole) {
    const low = crc ^ (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24));
    crc =
      T7[low & 255] ^ T6[(low >>> 8) & 255] ^ T5[(low >>> 16) & 255] ^ T4[low >>> 24] ^
      T3[bytes[at + 4]] ^ T2[bytes[at + 5]] ^ T1[bytes[at + 6]] ^ T0[bytes[at + 7]];
    at += 8;
  }
  while (at < bytes.length) crc = (crc >>> 8) ^ T0[(crc ^ bytes[at++]) & 255];
  return crc;
}

/**
 * Returns the CRC-32 big-endian in base64, the format of S3's x-amz-checksum-crc32.
 *
 * @param {Blob} blob
 */
export async function crc32(blob) {
  let crc = -1;
  for (let start = 0; start < blob.size; start += PIECE) {
    crc = update(crc, new Uint8Array(await blob.slice(start, start + PIECE).arrayBuffer()));
  }
  crc = ~crc >>> 0;
  return btoa(String.fromCharCode(crc >>> 24, (crc >>> 16) & 255, (crc >>> 8) & 255, crc & 255));
}
