/* A clock for bash's line editor: when the byte of Enter has been read, the variable __begun says so.
   Loaded by `enable -f`. A bound key cannot tell: bash draws the line again behind it, and what that
   sets going would be timed as well. */
#include <stdio.h>
#include <sys/time.h>

extern int (*rl_getc_function)(FILE *);
extern void *bind_variable(const char *, char *, int);

static int (*before)(FILE *);

static int key(FILE *from) {
  int read = before(from);
  if (read == '\r') {
    struct timeval now;
    char text[48];
    gettimeofday(&now, NULL);
    snprintf(text, sizeof text, "%lld.%06ld", (long long)now.tv_sec, (long)now.tv_usec);
    bind_variable("__begun", text, 0);
  }
  return read;
}

static int start(void *words) {
  (void)words;
  before = rl_getc_function;
  rl_getc_function = key;
  return 0;
}

/* bash's `struct builtin` */
struct {
  const char *name;
  int (*function)(void *);
  int flags;
  char *const *long_doc;
  const char *short_doc;
  char *handle;
} __enter_clock_struct = {"__enter_clock", start, 1, NULL, "__enter_clock", NULL};
