"""`kubeadm completion` (cmd/completion.go)."""

from __future__ import annotations

from ...kernel.errors import NotSimulated
from ..cobra import Command
from .run import Failure, Run

_LONG = """
Output shell completion code for the specified shell (bash or zsh).
The shell code must be evaluated to provide interactive
completion of kubeadm commands. This can be done by sourcing it from
the .bash_profile.

Note: this requires the bash-completion framework.

To install it on Mac use homebrew:
    $ brew install bash-completion
Once installed, bash_completion must be evaluated. This can be done by adding the
following line to the .bash_profile
    $ source $(brew --prefix)/etc/bash_completion

If bash-completion is not installed on Linux, please install the 'bash-completion' package
via your distribution's package manager.

Note for zsh users: [1] zsh completions are only supported in versions of zsh >= 5.2"""
_EXAMPLE = """
# Install bash completion on a Mac using homebrew
brew install bash-completion
printf "\\n# Bash completion support\\nsource $(brew --prefix)/etc/bash_completion\\n" >> $HOME/.bash_profile
source $HOME/.bash_profile

# Load the kubeadm completion code for bash into the current shell
source <(kubeadm completion bash)

# Write bash completion code to a file and source it from .bash_profile
kubeadm completion bash > ~/.kube/kubeadm_completion.bash.inc
printf "\\n# Kubeadm shell completion\\nsource '$HOME/.kube/kubeadm_completion.bash.inc'\\n" >> $HOME/.bash_profile
source $HOME/.bash_profile

# Load the kubeadm completion code for zsh[1] into the current shell
source <(kubeadm completion zsh)"""


def _completion(run: Run) -> None:
    """The shell here completes by itself, so bash's script has nothing to define."""
    if not run.args:
        raise Failure("shell not specified")
    if len(run.args) > 1:
        raise Failure("too many arguments. expected only the shell type")
    if run.args[0] not in ("bash", "zsh"):
        raise Failure(f'unsupported shell type "{run.args[0]}", the supported shell types are [bash zsh]')
    if run.args[0] == "zsh":
        raise NotSimulated("kubeadm completion zsh")
    run.say("# bash completion for kubeadm: this shell completes kubeadm's commands by itself")


COMMAND = Command(
    "completion SHELL",
    short="Output shell completion code for the specified shell (bash or zsh)",
    long=_LONG,
    example=_EXAMPLE,
    run=_completion,
)
