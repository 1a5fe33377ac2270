"""Pieces of C99: arrays of numbers, the functions that layers call, and the programs that go with an export."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_WIDTH = 110

# What the kinds of layers do to floats. Maps are (maps, high, wide), one after the other.
FLOAT_FUNCTIONS = {
    "convolution": """\
static void convolution(const float *in, int maps_in, int high, int wide, const float *weights, const float *bias,
                        int maps, int size, float *out)
{
    int m, y, x, i, r, c, beside;
    for (m = 0; m < maps; m++)
        for (y = 0; y + size <= high; y++)
            for (x = 0; x + size <= wide; x += beside) { /* four places beside each other where there are four */
                const float *w = weights + m * maps_in * size * size;
                float sum = bias[m], second = sum, third = sum, fourth = sum;
                beside = x + 3 + size <= wide ? 4 : 1;
                for (i = 0; i < maps_in; i++)
                    for (r = 0; r < size; r++) {
                        const float *row = in + (i * high + y + r) * wide + x;
                        if (beside == 1)
                            for (c = 0; c < size; c++)
                                sum += *w++ * row[c];
                        else
                            for (c = 0; c < size; c++, w++) {
                                sum += *w * row[c];
                                second += *w * row[c + 1];
                                third += *w * row[c + 2];
                                fourth += *w * row[c + 3];
                            }
                    }
                *out++ = sum;
                if (beside == 4) {
                    *out++ = second;
                    *out++ = third;
                    *out++ = fourth;
                }
            }
}
""",
    "trainable": """\
static void trainable(const float *in, int maps_in, int high, int wide, const float *coefficient, const float *bias,
                      int maps, float *out)
{
    int m, y, x;
    for (m = 0; m < maps; m++)
        for (y = 0; y + 1 < high; y += 2)
            for (x = 0; x + 1 < wide; x += 2) {
                const float *p = in + ((m % maps_in) * high + y) * wide + x;
                *out++ = (p[0] + p[1] + p[wide] + p[wide + 1]) * coefficient[m] + bias[m];
            }
}
""",
    "average": """\
static void average(const float *in, int maps_in, int high, int wide, int maps, float *out)
{
    int m, y, x;
    for (m = 0; m < maps; m++)
        for (y = 0; y + 1 < high; y += 2)
            for (x = 0; x + 1 < wide; x += 2) {
                const float *p = in + ((m % maps_in) * high + y) * wide + x;
                *out++ = 0.25f * (p[0] + p[1] + p[wide] + p[wide + 1]);
            }
}
""",
    "max": """\
static void max(const float *in, int maps_in, int high, int wide, int maps, float *out)
{
    int m, y, x;
    for (m = 0; m < maps; m++)
        for (y = 0; y + 1 < high; y += 2)
            for (x = 0; x + 1 < wide; x += 2) {
                const float *p = in + ((m % maps_in) * high + y) * wide + x;
                float upper = p[0] > p[1] ? p[0] : p[1], lower = p[wide] > p[wide + 1] ? p[wide] : p[wide + 1];
                *out++ = upper > lower ? upper : lower;
            }
}
""",
    "codes": """\
static void codes(const float *in, int maps_in, const signed char *code, int count, float *out)
{
    int k, i;
    for (k = 0; k < count; k++) {
        float sum = 0.0f;
        for (i = 0; i < maps_in; i++) {
            float apart = in[i] - (float)*code++;
            sum += apart * apart;
        }
        *out++ = -sum;
    }
}
""",
    "squash": """\
static void squash(float *values, int count)
{
    int i;
    for (i = 0; i < count; i++)
        values[i] = 1.7159f * tanhf(0.66666667f * values[i]);
}
""",
    "relu": """\
static void relu(float *values, int count)
{
    int i;
    for (i = 0; i < count; i++)
        if (values[i] < 0.0f)
            values[i] = 0.0f;
}
""",
    "sigmoid": """\
static void sigmoid(float *values, int count)
{
    int i;
    for (i = 0; i < count; i++)
        values[i] = 0.5f + 0.5f * tanhf(0.5f * values[i]);
}
""",
}

# The same with integers. A sum is brought to its layer's scale by a multiplier and a shift, rounded away from zero.
INT8_FUNCTIONS = {
    "brought": """\
static int32_t brought(int32_t sum, int32_t multiplier, int32_t shift)
{
    int64_t total = (int64_t)sum * multiplier, half = (int64_t)1 << (shift - 1);
    return total < 0 ? (int32_t)-((half - total) >> shift) : (int32_t)((total + half) >> shift);
}
""",
    "limited": """\
static int32_t limited(int32_t value, int32_t low, int32_t high)
{
    return value < low ? low : value > high ? high : value;
}
""",
    "sum_of": """\
static int32_t sum_of(const int8_t *in, int maps_in, int high, int wide, const int8_t *w, int size)
{
    int i, r, c;
    int32_t sum = 0;
    for (i = 0; i < maps_in; i++)
        for (r = 0; r < size; r++)
            for (c = 0; c < size; c++)
                sum += (int32_t)*w++ * in[(i * high + r) * wide + c];
    return sum;
}
""",
    "convolution": """\
static void convolution(const int8_t *in, int maps_in, int high, int wide, const int8_t *weights, const int32_t *bias,
                        const int32_t *multiplier, const uint8_t *shift, const int8_t *table, int maps, int size,
                        int8_t *out)
{
    int m, y, x;
    for (m = 0; m < maps; m++)
        for (y = 0; y + size <= high; y++)
            for (x = 0; x + size <= wide; x++) {
                int32_t sum = bias[m] + sum_of(in + y * wide + x, maps_in, high, wide,
                                               weights + m * maps_in * size * size, size);
                int32_t value = brought(sum, multiplier[m], shift[m]);
                *out++ = table ? table[limited(value, -1024, 1023) + 1024] : (int8_t)(limited(value, 0, 255) - 128);
            }
}
""",
    "outputs": """\
static void outputs(const int8_t *in, int maps_in, int size, const int8_t *weights, const int32_t *bias,
                    const int32_t *multiplier, const uint8_t *shift, const int16_t *table, int count, int32_t *out)
{
    int m;
    for (m = 0; m < count; m++) {
        int32_t sum = bias[m] + sum_of(in, maps_in, size, size, weights + m * maps_in * size * size, size);
        int32_t value = brought(sum, multiplier[m], shift[m]);
        *out++ = table ? table[limited(value, -1024, 1023) + 1024] : value;
    }
}
""",
    "trainable": """\
static void trainable(const int8_t *in, int maps_in, int high, int wide, const int8_t *coefficient,
                      const int32_t *bias, const int32_t *multiplier, const uint8_t *shift, const int8_t *table,
                      int maps, int8_t *out)
{
    int m, y, x;
    for (m = 0; m < maps; m++)
        for (y = 0; y + 1 < high; y += 2)
            for (x = 0; x + 1 < wide; x += 2) {
                const int8_t *p = in + ((m % maps_in) * high + y) * wide + x;
                int32_t sum = bias[m] + (int32_t)coefficient[m] * (p[0] + p[1] + p[wide] + p[wide + 1]);
                *out++ = table[limited(brought(sum, multiplier[m], shift[m]), -1024, 1023) + 1024];
            }
}
""",
    "average": """\
static void average(const int8_t *in, int maps_in, int high, int wide, int maps, int8_t *out)
{
    int m, y, x;
    for (m = 0; m < maps; m++)
        for (y = 0; y + 1 < high; y += 2)
            for (x = 0; x + 1 < wide; x += 2) {
                const int8_t *p = in + ((m % maps_in) * high + y) * wide + x;
                *out++ = (int8_t)(((p[0] + p[1] + p[wide] + p[wide + 1] + 514) >> 2) - 128);
            }
}
""",
    "max": FLOAT_FUNCTIONS["max"].replace("float", "int8_t"),
    "codes": """\
static void codes(const int8_t *in, int maps_in, const int8_t *code, int count, int32_t *out)
{
    int k, i;
    for (k = 0; k < count; k++) {
        int32_t sum = 0;
        for (i = 0; i < maps_in; i++) {
            int32_t apart = in[i] - 64 * (int32_t)*code++;
            sum += apart * apart;
        }
        *out++ = -sum;
    }
}
""",
}

# Scores glyphs of 784 bytes from standard input, and writes the scores as the machine holds them.
CHECK = """\
/* Scores glyphs: 784 bytes each on standard input, scores on standard output, as this machine holds them. */
#include <stdio.h>
#include "{name}.h"

int main(void)
{{
    static {name}_memory memory;
    unsigned char glyph[784];
    {score} scores[{count}];
    while (fread(glyph, 1, sizeof glyph, stdin) == sizeof glyph) {{
        {name}_scores(&memory, glyph, scores);
        if (fwrite(scores, sizeof *scores, {count}, stdout) != {count})
            return 1;
    }}
    return 0;
}}
"""

# Prints every layer's values for ten digits; compiled for a chip it is its own test bench.
VECTORS = """\
/* Prints every layer's values for the ten digits of digits.h: the text of vectors.txt. */
#include <stdio.h>
#include "{name}.h"
#include "digits.h"

void {name}_trace(const char *layer, const {value} *values, int count)
{{
    int i;
    printf("%s %d\\n", layer, count);
    for (i = 0; i < count; i++)
        printf("{format}%c", values[i], i % 32 == 31 || i == count - 1 ? '\\n' : ' ');
}}

int main(void)
{{
    static {name}_memory memory;
    {score} scores[{count}];
    int digit, i;
    for (digit = 0; digit < 10; digit++) {{
        printf("digit %d\\n", digit);
        {name}_scores(&memory, digits[digit], scores);
        printf("scores {count}\\n");
        for (i = 0; i < {count}; i++)
            printf("{score_format}%c", scores[i], i == {count} - 1 ? '\\n' : ' ');
    }}
    return 0;
}}
"""

MAKEFILE = """\
# make host: for this machine; make vectors: every layer of ten digits against vectors.txt; make cortex-m: the same for
# an ARM Cortex-M3 (Debian's gcc-arm-none-eabi, libnewlib-arm-none-eabi), run by QEMU (qemu-system-arm).
NAME = {name}
CFLAGS = -std=c99 -pedantic -Wall -Wextra -Werror -O2
ARM = arm-none-eabi-
ARM_FLAGS = $(CFLAGS) -mcpu=cortex-m3 -mthumb -ffunction-sections -fdata-sections

.PHONY: host vectors cortex-m clean

host: check
check: check.c $(NAME).c $(NAME).h
\t$(CC) $(CFLAGS) -o $@ check.c $(NAME).c{math}

vectors: $(NAME).c $(NAME).h vectors.c digits.h
\t$(CC) $(CFLAGS) -DLENET_TRACE -o vectors vectors.c $(NAME).c{math}
\t./vectors > vectors.out
{compare}

cortex-m: $(NAME).c $(NAME).h vectors.c digits.h start.c chip.ld
\t$(ARM)gcc $(ARM_FLAGS) -c -o $(NAME).chip.o $(NAME).c
\t$(ARM)size $(NAME).chip.o
\t$(ARM)gcc $(ARM_FLAGS) -DLENET_TRACE --specs=rdimon.specs -nostartfiles -Wl,--gc-sections -T chip.ld \\
\t\t-o chip.elf start.c vectors.c $(NAME).c{math}
\tqemu-system-arm -M mps2-an385 -nographic -monitor none -serial none -semihosting-config enable=on,target=native \\
\t\t-kernel chip.elf > chip.out
{chip_compare}

clean:
\trm -f check vectors vectors.out chip.elf chip.out $(NAME).chip.o
"""

START = """\
/* What a Cortex-M3 runs first: the vector table, memory as C expects it, main. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

extern void top_of_stack(void); /* an address that the linker makes; the first word of the table */
extern uint32_t data_from, data_begin, data_end, bss_begin, bss_end;
extern void initialise_monitor_handles(void);
int main(void);
void start(void);

void start(void)
{
    memcpy(&data_begin, &data_from, (size_t)((char *)&data_end - (char *)&data_begin));
    memset(&bss_begin, 0, (size_t)((char *)&bss_end - (char *)&bss_begin));
    initialise_monitor_handles();
    exit(main());
}

static void stuck(void)
{
    exit(99);
}

__attribute__((section(".first"), used)) static void (*const first[16])(void) = {
    top_of_stack, start, stuck, stuck, stuck, stuck, stuck
};
"""

LINKER = """\
/* The memory of ARM's MPS2 board with the AN385 image: a Cortex-M3. */
MEMORY
{
    CODE (rx) : ORIGIN = 0x00000000, LENGTH = 4M
    RAM (rwx) : ORIGIN = 0x20000000, LENGTH = 4M
}
ENTRY(start)
SECTIONS
{
    .text : { KEEP(*(.first)) *(.text*) *(.rodata*) *(.init) *(.fini) } > CODE
    .ARM.exidx : { *(.ARM.exidx*) } > CODE
    .data : { data_begin = .; *(.data*) . = ALIGN(4); data_end = .; } > RAM AT > CODE
    data_from = LOADADDR(.data);
    .bss : { bss_begin = .; *(.bss*) *(COMMON) . = ALIGN(8); bss_end = .; } > RAM
    end = .;
    top_of_stack = ORIGIN(RAM) + LENGTH(RAM);
}
"""


def array(kind: str, name: str, values: npt.NDArray[Any]) -> str:
    """Return a constant array as C has it; floats to the last bit."""
    flat = values.ravel()
    words = (
        [f"{each:.9g}" for each in flat.tolist()] if flat.dtype.kind == "f" else [str(each) for each in flat.tolist()]
    )
    if flat.dtype.kind == "f":
        words = [f"{word}f" if set(word) & set(".e") else f"{word}.0f" for word in words]
    lines, line = [], "   "
    for word in words:
        if len(line) + len(word) + 2 > _WIDTH:
            lines.append(line)
            line = "   "
        line += f" {word},"
    lines.append(line)
    return f"static const {kind} {name}[{len(words)}] = {{\n" + "\n".join(lines) + "\n};\n"


def digits_header(glyphs: npt.NDArray[np.uint8]) -> str:
    """Return ten glyphs (10, 28, 28) as a header."""
    rows = ",\n".join("    {" + ", ".join(map(str, glyph.ravel().tolist())) + "}" for glyph in glyphs)
    head = "/* Ten digits, 28x28 each, 0 for paper and 255 for pen. */"
    return f"{head}\nstatic const unsigned char digits[10][784] = {{\n{rows}\n}};\n"
