#!/bin/sh
# Proves that lint sees what it is there for: plants one offence after the other in a copy of the
# tree and expects each to be reported, at its place and with its reason.
set -eu
cd "$(dirname "$0")/../.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
passed=0 failed=0

# A small clean tree with the rules.
mkdir -p "$copy/shared/http" "$copy/shared/config" "$copy/shared/security" "$copy/orchestration" "$copy/tests" "$copy/docs"
mkdir "$copy/shared/base"
cp shared/base/attr.h shared/base/err.* shared/base/secret.* "$copy/shared/base/"
cp -r tests/lint "$copy/tests/"
cp .clang-format "$copy/"
echo 'KEY("web.port", INT)' >"$copy/shared/config/keys.def"
echo 'web.port' >"$copy/docs/configuration.md"
echo 'ROUTE(GET, "/v1/x", NEEDS(TASKS, READ), NO, 0, x)' >"$copy/orchestration/routes.def"
echo 'PERMISSION(TASKS, READ, "tasks:read", "read a task")' >"$copy/shared/security/permission.def"
echo 'VERDICT(DENY_X, 401, "FAILED", "expired", "No")' >"$copy/shared/security/verdict.def"
echo '/* ab1 */' >"$copy/tests/none.c"
touch "$copy/tests/none.h"
cat >"$copy/clean.md" <<'END'
## Permissions

| permission | allows |
|---|---|
| `tasks:read` | read a task |

### Orchestration

| method | path | access |
|---|---|---|
| GET | `/v1/x` | NEEDS `tasks:read`; and so on |

## Verdicts

| reason | status | code | when |
|---|---|---|---|
| `expired` | 401 | `FAILED` | late |

## Which test proves what

| row | requirement | tests |
|---|---|---|
| AB1 | it is so | `none.c` |
END
cp "$copy/clean.md" "$copy/docs/security.md"

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

# LA-04: a route is internal by its row, and no row says nothing.
expect orchestration/more_routes.def 'without an access column' <<'END'
ROUTE(GET, "/v1/y", NO, 0, y)
END
expect orchestration/more_routes.def 'docs/security.md does not say, below ### Orchestration: POST' <<'END'
ROUTE(POST, "/v1/y", INTERNAL(SYSTEM), JSON, 0, y, "Does, and more")
END
expect shared/security/more_verdict.def 'docs/security.md does not say, below ## Verdicts: `odd` 403' <<'END'
VERDICT(DENY_ODD, 403, "FAILED", "odd", "No")
END

# document REASON: docs/security.md as sed makes it of the clean one, by the script on stdin, is reported for that reason.
document() {
  sed -f - "$copy/clean.md" >"$copy/docs/security.md"
  "$copy/tests/lint/lint.sh" >"$copy/out" 2>&1 || :
  grep -q "$1" "$copy/out" && [ "$(wc -l <"$copy/out")" -eq 1 ] && result 0 || result 1 "docs/security.md; expected only: $1"
  cp "$copy/clean.md" "$copy/docs/security.md"
}
document 'permission.def:1: docs/security.md does not say, below ## Permissions: `tasks:read`' <<'END'
/^| `tasks:read`/d
END
document 'security.md:[0-9]*: no table says: `tasks:write`' <<'END'
/^| `tasks:read`/a | `tasks:write` | nothing |
END
document 'security.md:[0-9]*: no table says: GET `/v1/z` OPEN' <<'END'
/`.v1.x`/a | GET | `/v1/z` | OPEN |
END
document 'security.md:[0-9]*: tests/gone.c is not there' <<'END'
s/`none.c`/`none.c` `gone.c`/
END
document 'security.md:[0-9]*: tests/none.c does not name AB11' <<'END'
s/AB1 /AB11 /
END
document 'security.md:[0-9]*: no test proves AB2' <<'END'
$a | AB2 | it is so too | |
END

echo 'KEY("web.secret_door", BOOL)' >>"$copy/shared/config/keys.def"
"$copy/tests/lint/lint.sh" >"$copy/out" 2>&1 || :
grep -q 'docs/configuration.md:1: the key web.secret_door is not described' "$copy/out" &&
  result 0 || result 1 'a key without a description was accepted'

mkdir "$copy/shared/template"
echo 'FIELD(STEP, "odd_member", NAME, x, 1, 64, NULL)' >"$copy/shared/template/fields.def"
echo '`old_member` `odd_member_s`' >"$copy/docs/workflows.md"
"$copy/tests/lint/lint.sh" >"$copy/out" 2>&1 || :
grep -q 'docs/workflows.md:1: odd_member is not described' "$copy/out" &&
  result 0 || result 1 'a member of a template without a description was accepted'

[ "$failed" -eq 0 ] || echo "test_lint: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
