#!/bin/sh
# The demo's shell step: input on stdin, result into a file; what it prints is the step's log.
words=$(sed -n 's/.*"text":"\([^"]*\)".*/\1/p' | wc -w)
echo "counted for step $TASKER_STEP, attempt $TASKER_ATTEMPT"
echo "{\"words\":$words}" >"$TASKER_RESULT"
