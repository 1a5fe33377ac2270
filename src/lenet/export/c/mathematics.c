/* What a machine without a C library needs of it. */

void *memset(void *to, int byte, unsigned long n)
{
    unsigned char *at = (unsigned char *)to;
    while (n--)
        *at++ = (unsigned char)byte;
    return to;
}

void *memcpy(void *to, const void *from, unsigned long n)
{
    unsigned char *at = (unsigned char *)to;
    const unsigned char *of = (const unsigned char *)from;
    while (n--)
        *at++ = *of++;
    return to;
}

/* e to the x, to the last bit or two of a float: a power of two, and Taylor's series of what is left. */
static double power(double x)
{
    const double two = 0.69314718055994530942;
    double left, sum = 1, term = 1;
    long long bits;
    int k, n;
    x = x < -87 ? -87 : x > 88 ? 88 : x;
    n = (int)(x / two + (x < 0 ? -0.5 : 0.5));
    left = x - n * two;
    for (k = 1; k < 14; k++)
        sum += term *= left / k;
    bits = (long long)(n + 1023) << 52;
    memcpy(&term, &bits, sizeof term);
    return sum * term;
}

static float exponential(float x)
{
    return (float)power(x);
}

/* The natural logarithm of a number that is not below 1e-30, by Newton's method. */
static float logarithm(float x)
{
    double y = 0;
    int k;
    for (k = 0; k < 60; k++) {
        const double e = power(y), step = 2 * ((double)x - e) / ((double)x + e);
        y += step;
        if (step < 1e-9 && step > -1e-9)
            break;
    }
    return (float)y;
}

static float tanhf(float x)
{
    const double e = power(2 * (double)(x < 0 ? -x : x));
    const double found = x > 20 || x < -20 ? 1 : (e - 1) / (e + 1);
    return (float)(x < 0 ? -found : found);
}
