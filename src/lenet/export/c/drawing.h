/* A drawn digit as the network's glyph: the way of a picture through lenet, for a clean drawing.
 *
 * The paper is of one grey, and the pen darker or lighter; nothing is printed or ruled on it. A photograph is none.
 */
#ifndef DRAWING_H
#define DRAWING_H

/* The bytes of memory that a page so large needs. The caller's, aligned as for floats. */
unsigned long drawing_memory(int width, int height);

/* Make the glyph, 28 rows of 28 bytes, 0 for paper and 255 for pen, of the digit on a page of greys (height rows of
 * width bytes). Returns 1; or 0, and a glyph of paper, if there is no ink, or too little of it to be read. */
int drawing_glyph(void *memory, const unsigned char *page, int width, int height, unsigned char *glyph);

#endif
