"""Trains the built-in model's tokenizer: byte-level BPE with 2,048 entries, on the model's corpus and our datasets.

    python scripts/builtin/train_tokenizer.py   (needs tokenizers 0.23)

The datasets are included so that fine-tuning on them needs few tokens. A new tokenizer invalidates the model's weights: run
train_model.py afterwards.
"""
import json
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from corpus import Corpus

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / 'public' / 'models' / 'stories'
VOCAB = 2048
SPECIAL = ['<|endoftext|>', '<|im_start|>', '<|im_end|>']
ROLES = 'system user assistant'
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")


def texts():
    documents = Corpus(0).documents(40_000)
    for document in documents:
        for token in SPECIAL:
            document = document.replace(token, '\n')
        yield document
    for path in sorted((ROOT / 'public' / 'datasets').glob('*')):
        if path.suffix in ('.jsonl', '.csv'):
            # Repeated to carry some weight next to the much larger corpus.
            yield from [path.read_text(encoding='utf-8')] * 12


def write_json(name, value):
    (OUT / name).write_text(json.dumps(value, indent=2, ensure_ascii=False) + '\n', encoding='utf-8')


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=VOCAB, special_tokens=SPECIAL, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(texts(), trainer)
    assert tokenizer.get_vocab_size() == VOCAB
    tokenizer.save(str(OUT / 'tokenizer.json'))
    special = {'bos_token': '<|im_start|>', 'eos_token': '<|im_end|>', 'pad_token': '<|endoftext|>',
               'unk_token': '<|endoftext|>'}
    write_json('special_tokens_map.json', special)
    write_json('tokenizer_config.json', {
        'added_tokens_decoder': {
            str(tokenizer.token_to_id(token)): {'content': token, 'lstrip': False, 'normalized': False, 'rstrip': False,
                                                'single_word': False, 'special': True} for token in SPECIAL},
        'add_bos_token': False, 'add_eos_token': False, 'add_prefix_space': False, **special,
        'chat_template': CHAT_TEMPLATE, 'clean_up_tokenization_spaces': False, 'model_max_length': 512,
        'tokenizer_class': 'PreTrainedTokenizerFast'})


if __name__ == '__main__':
    main()
