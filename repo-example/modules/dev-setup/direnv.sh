# For interactive bash alone; the prompt is where direnv looks at the folder.
if [ -n "${BASH_VERSION:-}" ] && [ -n "${PS1:-}" ] && command -v direnv >/dev/null; then
    eval "$(direnv hook bash)"
fi
