#!/bin/sh
# Proves that lint sees what it is there for: plants one offence after the other in a copy of the
# tree and expects each to be reported, at its place and with its reason.
set -eu
cd "$(dirname "$0")/../.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
passed=0 failed=0

# A small clean tree with the rules.
mkdir -p "$copy/shared/http" "$copy/shared/config" "$copy/orchestration" "$copy/tests" "$copy/docs"
mkdir "$copy/shared/base"
cp shared/base/attr.h shared/base/err.* shared/base/secret.* "$copy/shared/base/"
cp -r tests/lint "$copy/tests/"
cp .clang-format "$copy/"
echo 'KEY("web.port", INT)' >"$copy/shared/config/keys.def"
echo 'web.port' >"$copy/docs/configuration.md"
echo 'ROUTE(GET, "/v1/x", NEEDS(TASKS, READ), NO, 0, x)' >"$copy/orchestration/routes.def"
touch "$copy/tests/none.c" "$copy/tests/none.h"

result() {
  if [ "$1" = 0 ]; then passed=$((passed + 1)); else
    failed=$((failed + 1))
    echo "test_lint: $2"
    sed 's/^/    /' "$copy/out"
  fi
}

# expect FILE REASON: the text on stdin, in FILE alone, is reported there for that reason.
expect() {
  cat >"$copy/$1"
  if "$copy/tests/lint/lint.sh" >"$copy/out" 2>&1; then
    result 1 "$1 was accepted; expected: $2"
  elif grep -q "^$1:.*$2" "$copy/out" && [ "$(wc -l <"$copy/out")" -eq 1 ]; then
    result 0
  else
    result 1 "$1; expected only: $2"
  fi
  rm "$copy/$1"
}

"$copy/tests/lint/lint.sh" >"$copy/out" 2>&1 && result 0 || result 1 'the clean tree is not clean'

expect shared/base/planted.c 'shared/base may not use shared/http' <<'END'
#include "shared/http/head.h"
END
expect shared/base/planted.c 'is no path from the root' <<'END'
#include "err.h"
END
expect shared/http/planted.c '<openssl/> is included only by' <<'END'
#include <openssl/evp.h>
END
expect shared/http/planted.c 'evhttp is no part' <<'END'
#include <event2/http.h>
END
expect shared/base/planted.c 'strcpy(): writes past' <<'END'
int x = strcpy(a, b); /* sprintf(1) in a comment is fine, "atoi(2)" in a string too */
const char *fine = "atoi(2)";
END
expect shared/base/planted.c 'exit(): is for main' <<'END'
int x = exit(1) + on_exit(2) + _exit(3);
END
expect shared/base/planted.c 'goto' <<'END'
int x = goto out;
END
expect shared/base/planted.h 'neither OWNED nor BORROWED' <<'END'
/* Makes one. */
void thing_new(struct thing **out);
END
expect shared/base/planted.h 'is not MUST_CHECK' <<'END'
/* Makes one. */
bool thing_new(int size, OWNED struct thing **out, struct err *e);
END
expect shared/base/planted.h 'without a sentence' <<'END'
/* Makes one. */
int thing_new(void);

int thing_free(int thing);
END
expect shared/base/planted.c 'not as clang-format' <<'END'
int  two_spaces;
END
{
  echo 'int'
  echo 'long_one(void)'
  echo '{'
  i=0
  while [ $((i += 1)) -le 68 ]; do printf '\tthing(%d);\n' $i; done
  echo '}'
} >"$copy/input"
expect shared/base/planted.c 'long_one() has 71 lines' <"$copy/input"
i=0
while [ $((i += 1)) -le 601 ]; do echo "int x$i;"; done >"$copy/input"
expect shared/base/planted.c '601 lines; the limit is 600' <"$copy/input"
i=0
while [ $((i += 1)) -le 121 ]; do echo "int x$i;"; done >"$copy/input"
expect shared/base/planted.h '121 lines; the limit is 120' <"$copy/input"

expect orchestration/more_routes.def 'without an access column' <<'END'
ROUTE(GET, "/v1/y", NO, 0, y)
END

echo 'KEY("web.secret_door", BOOL)' >>"$copy/shared/config/keys.def"
"$copy/tests/lint/lint.sh" >"$copy/out" 2>&1 || :
grep -q 'docs/configuration.md:1: the key web.secret_door is not described' "$copy/out" &&
  result 0 || result 1 'a key without a description was accepted'

[ "$failed" -eq 0 ] || echo "test_lint: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
