#include <dirent.h>
#include <fts.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

typedef int fault_fts_fn(const FTSENT **a, const FTSENT **b);

#define CALLS "tests/torture/calls_system.def"
#include "tests/torture/calls.h"
