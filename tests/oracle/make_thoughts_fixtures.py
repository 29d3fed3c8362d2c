"""Conversations whose answers have thoughts in a field of their own, written by transformers with Qwen3's template, which
reads that field. Writes tests/fixtures/templates/thoughts.json."""

from common import FIXTURES, make_reproducible, versions, write_json

make_reproducible()

from pathlib import Path

from transformers.utils.chat_template_utils import render_jinja_template

OUT = FIXTURES / "templates"


def turn(role: str, content: str, thoughts: str | None = None) -> dict[str, str]:
    return {"role": role, "content": content} | ({"reasoning_content": thoughts} if thoughts else {})


CONVERSATIONS = {
    "one answer": [turn("user", "2+2?"), turn("assistant", "4", "Two and two.")],
    "many lines": [turn("user", "Why?"), turn("assistant", "Because.\n\n1. So.", "\nFirst this.\n\nThen that.\n")],
    "two answers": [
        *(turn("user", "2+2?"), turn("assistant", "4", "Two and two.")),
        *(turn("user", "3+3?"), turn("assistant", "6", "Three and three.")),
    ],
    "only the first": [
        *(turn("user", "2+2?"), turn("assistant", "4", "Two and two.")),
        *(turn("user", "3+3?"), turn("assistant", "6")),
    ],
    "with a system message": [turn("system", "Be brief."), turn("user", "Hi"), turn("assistant", "Hello.", "A greeting.")],
    "around a tool": [
        turn("user", "Weather in Bonn?"),
        turn("assistant", '{"name": "weather"}', "I have to look."),
        turn("tool", "grey"),
        turn("assistant", "It is grey.", "Now I know."),
    ],
    "code": [turn("user", "Go on."), turn("assistant", "    return x\n", "It has to\n    be indented.")],
}


def main() -> None:
    source = (OUT / "qwen3.jinja").read_text(encoding="utf-8")
    texts, _ = render_jinja_template(list(CONVERSATIONS.values()), chat_template=source, add_generation_prompt=False)
    rows = [
        {"name": name, "messages": messages, "text": text}
        for (name, messages), text in zip(CONVERSATIONS.items(), texts, strict=True)
    ]
    write_json(
        OUT / "thoughts.json",
        {"made_by": f"tests/oracle/{Path(__file__).name}", "versions": versions("transformers", "Jinja2"), "conversations": rows},
    )


if __name__ == "__main__":
    main()
