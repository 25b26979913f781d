"""`ccsync help`: the guide, by topic."""

from difflib import get_close_matches

import click
from click.shell_completion import CompletionItem

from ccsync.cli import guide
from ccsync.cli.terminal import screen, tables


def _offered(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    return [CompletionItem(name) for name in _names(context) if name.startswith(incomplete)]


def _names(context: click.Context) -> list[str]:
    return [*guide.TOPICS, *_commands(context)]


def _commands(context: click.Context) -> list[str]:
    root = context.find_root()
    return root.command.list_commands(root) if isinstance(root.command, click.Group) else []


def _command(context: click.Context, name: str) -> click.Command:
    root = context.find_root()
    return (isinstance(root.command, click.Group) and root.command.get_command(root, name)) or root.command


@click.command("help")
@click.argument("topic", required=False, shell_complete=_offered)
@click.pass_context
def help_command(context: click.Context, topic: str | None) -> None:
    """Show a topic of the guide.

    A topic is the name of a command or one of the topics that `ccsync help` lists.

    \b
    Example:  ccsync help
              ccsync help settings
              ccsync help export
    """
    names = _names(context)
    if topic is None:
        _list(context)
    elif (text := guide.topic(topic)) is not None and topic in names:
        guide.show(text)
    elif topic in names:
        with click.Context(_command(context, topic), info_name=topic, parent=context.find_root()) as one:
            screen.put(one.command.get_help(one))
    else:
        near = get_close_matches(topic, names, n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise click.UsageError(f"there is no topic {screen.clean(topic)}.{meant} `ccsync help` lists them.")


def _list(context: click.Context) -> None:
    screen.print_line("Topics (ccsync help TOPIC):")
    screen.print_line()
    tables.print_facts({f"  {name}": guide.title_of(guide.topic(name) or "") for name in guide.TOPICS})
    screen.print_line()
    screen.print_line("Commands (ccsync help COMMAND):")
    screen.print_line()
    tables.print_facts({f"  {name}": _command(context, name).get_short_help_str(200) for name in _commands(context)})
