# A repository of two revisions, the second with the source that is named.
set -e
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
git init -q repo
cd repo
git config user.name "A Release Engineer"
git config user.email "release@example.org"
cp ../main.c .
git add main.c
git commit -q -m "First"
cp "$1" main.c
git commit -q -a -m "Second"
