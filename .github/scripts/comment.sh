#!/usr/bin/env bash
# comment.sh MARK FILE: writes the file to the comment with this mark on the pull request $PULL_REQUEST, and creates the
# comment if it does not exist. Needs `gh` with $GH_TOKEN.
set -euo pipefail
mark="<!-- $1 -->"
body=$(printf '%s\n' "$mark"; head -c 60000 "$2")
comments="repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments"
id=$(gh api --paginate "$comments" --jq ".[] | select(.body | startswith(\"$mark\")) | .id" | head -n 1)
if [ -n "$id" ]; then
  gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --field "body=$body"
else
  gh api --silent --method POST "$comments" --field "body=$body"
fi
