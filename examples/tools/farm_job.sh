#!/bin/sh
# A farm's job: hand a layout in, wait for its backgrounds, and say by the exit code what to do.
#
#   0   the backgrounds stand            the farm marks the job as done
#   1   refused, or a job of it is dead  the farm marks it as failed; the log says why
#   2   the command line is wrong
#   3   no server, or no good token      somebody corrects HAIKEI_URL or HAIKEI_TOKEN
#   75  the server is away, or it takes  the farm tries again later: what was handed in before is
#       longer than HAIKEI_PATIENCE      answered, and not made again
set -u
exec haikei submit "$1" --wait --timeout "${HAIKEI_PATIENCE:-7200}" --json
