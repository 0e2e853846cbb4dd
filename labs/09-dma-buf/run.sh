#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the transcript of README.md; --help tells how.
cd "$(dirname "$0")" && exec sh ../transcript.sh "$@"
