"""`ccsync completion SHELL`: prints the script that lets TAB complete commands, options and list names."""

import click

from ccsync.cli import shell_completion
from ccsync.cli.terminal import screen


@click.command()
@click.argument("shell", type=click.Choice(list(shell_completion.SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a completion script.

    For bash (4.4 or newer), zsh or fish.

    \b
    Example:  ccsync completion bash > ~/.local/share/bash-completion/completions/ccsync
              ccsync completion zsh > ~/.zfunc/_ccsync
              ccsync completion fish > ~/.config/fish/completions/ccsync.fish
    """
    kind = shell_completion.SHELLS[shell]
    screen.print_line(kind(context.find_root().command, {}, "ccsync", "_CCSYNC_COMPLETE").source())
