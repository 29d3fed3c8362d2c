"""Writes public/models/index.json from the files in public/models.

    python scripts/builtin/index_models.py
"""
import json
from hashlib import sha256
from pathlib import Path

MODELS = Path(__file__).resolve().parents[2] / 'public' / 'models'
NEEDED = ['config.json', 'generation_config.json', 'model.safetensors', 'special_tokens_map.json', 'tokenizer.json',
          'tokenizer_config.json', 'README.md']


def main():
    content = {name: (MODELS / 'stories' / name).read_bytes() for name in NEEDED}
    files = [{'name': name, 'size': len(data), 'sha256': sha256(data).hexdigest()} for name, data in content.items()]
    entry = {'name': 'stories', 'title': 'Stories 2M',
             'description': 'A tiny chat model in simple English: everyday questions, advice and short stories. '
                            'Small enough to fine-tune on any machine in a minute.',
             'licence': 'MIT', 'parameters': 1_967_808, 'bytes': len(content['model.safetensors']), 'files': files}
    (MODELS / 'index.json').write_text(json.dumps([entry], indent=2) + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()
