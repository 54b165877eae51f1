/* effort.h: how often to try what is drawn at random.
 *
 * A sanitizer makes each try five to twenty times as dear; the same tests have
 * run without it in full. */
#ifndef TESTS_SUPPORT_EFFORT_H
#define TESTS_SUPPORT_EFFORT_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EFFORT(tries)             ((tries) < 16 ? 1 : (tries) / 16)
#define EFFORT_OR(tries, watched) (watched) /* That many with a sanitizer. */
#else
#define EFFORT(tries)             (tries)
#define EFFORT_OR(tries, watched) (tries)
#endif

#endif
