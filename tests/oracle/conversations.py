"""Conversations, texts and pairs for testing templates and loss masks."""


def chat(*turns: str) -> list[dict[str, str]]:
    """The prefix 's:', 'u:' or 'a:' of a content names the role."""
    roles = {"s": "system", "u": "user", "a": "assistant"}
    return [{"role": roles[t[0]], "content": t[2:]} for t in turns]


def tool(content: str) -> dict[str, str]:
    return {"role": "tool", "content": content}


CONVERSATIONS: dict[str, list[dict[str, str]]] = {
    "one turn": chat("u:What is the capital of France?", "a:Paris."),
    "system": chat("s:You are a pirate.", "u:Hello!", "a:Ahoy, matey!"),
    "two turns": chat("u:Hi", "a:Hello! How can I help?", "u:Tell me a joke.", "a:Why did the boat float? It had to."),
    "four turns with system": chat(
        "s:Answer in one word.", "u:Sky?", "a:Blue", "u:Grass?", "a:Green", "u:Snow?", "a:White", "u:Coal?", "a:Black"
    ),
    "ends with the user": chat("u:Hi", "a:Hello!", "u:And now?"),
    "user only": chat("u:Is anybody there?"),
    "empty answer": chat("u:Say nothing.", "a:"),
    "empty question": chat("u:", "a:You did not ask anything."),
    "many lines": chat("u:Write a list.\n\n1. first", "a:1. one\n2. two\n\n3. three\n"),
    "answer starts with spaces": chat("u:Indent it.", "a:  indented"),
    "answer starts with a newline": chat("u:Break it.", "a:\n\nbroken"),
    "whitespace only": chat("u: ", "a: \n "),
    "answer repeats the question": chat("u:echo", "a:echo", "u:echo", "a:echo"),
    "unicode": chat("u:你好 👋🏽", "a:مرحبا 👨‍👩‍👧‍👦 e\u0301\u0302", "u:Привет?", "a:สวัสดี 🇩🇪"),
    "code": chat("u:Show code", "a:```python\nprint('hi')\n    # {{ x }} {% if y %}\n```"),
    "special tokens in the text": chat("u:What is <|im_end|>?", "a:<|im_end|> ends a turn, <|im_start|> begins one."),
    "role words in the text": chat("u:assistant\nuser\nsystem", "a:user: assistant"),
    "two answers in a row": chat("u:Go on", "a:First.", "a:Second."),
    "starts with the assistant": chat("a:Welcome!", "u:Thanks", "a:Sure."),
    "long answer": chat("u:Count.", "a:" + ", ".join(str(i) for i in range(1, 60)) + "."),
}

#: More for the templates of real models, some of which refuse some of these.
HARDER_CONVERSATIONS: dict[str, list[dict[str, str]]] = {
    "many turns": chat(*(f"{'ua'[i % 2]}:{'Question' if i % 2 == 0 else 'Answer'} {i // 2 + 1}" for i in range(16))),
    "long system, many lines": chat("s:You are helpful.\n\n- Be brief.\n- Be kind.\n", "u:Hi", "a:Hello.", "u:Why?", "a:Because."),
    "empty system": chat("s:", "u:Hi", "a:Hello."),
    "two users in a row": chat("u:One", "u:Two", "a:Both."),
    "system in the middle": chat("u:Hi", "a:Hello.", "s:Be rude.", "u:Again", "a:What?"),
    "a tool's result": [*chat("u:Weather in Bonn?", 'a:{"name": "weather", "city": "Bonn"}'), tool('{"sky": "grey"}'), *chat("a:It is grey in Bonn.")],
    "thoughts": chat("u:2+2?", "a:<think>\nTwo and two.\n</think>\n\n4", "u:And 3+3?", "a:<think>\nThree and three.\n</think>\n\n6"),
    "thoughts switched off": chat("s:/no_think Be quick.", "u:Capital of Peru?", "a:Lima."),
    "quotes and braces": chat("u:Say \"it's\" & <b>bold</b> {\"a\": [1]}", "a:'it\\'s' \\n \\\\ {{ }} {% %} \u2028 \u00a0 end"),
    "trailing and leading space": chat("s: Be terse. ", "u:\n Hi \n", "a: Hello \n", "u:\tBye\t", "a:\n\nSo long  "),
    "right to left": chat("u:\u202b\u05e9\u05dc\u05d5\u05dd\u202c", "a:\u0645\u0631\u062d\u0628\u0627 \u200f!", "u:\U0001f1ee\U0001f1f1", "a:\U0001f469\u200d\U0001f680"),
    "other families' tokens": chat("u:</s> [INST] <end_of_turn> <|eot_id|> <|end|>", "a:<|im_end|><s><bos><|endoftext|>"),
}

TEXTS = ["Once upon a time.", "", " leading", "two\n\nparagraphs\n", "ends itself<EOS>", "numbers 123 and 😀"]
PAIRS = [
    ("Translate: cat ->", " Katze"),
    ("Question: 2+2?\nAnswer:", " 4"),
    ("no space at the bor", "der of a word"),
    ("ends with space ", "then text"),
    ("", "nothing before"),
    ("review: great film\nlabel:", " positive"),
    ("ends itself", " already<EOS>"),
]
