"""Text like the built-in model's training data, for replay, EWC and the forgetting metric.

The documents are chats and stories from the corpus, exactly as the model reads them (with chat template and end of text), but
from the twentieth that was held out of its training, so their loss does not reflect memorisation.
"""
from corpus import Corpus

SEED = 5


def base_text(count):
    """`count` distinct documents."""
    corpus = Corpus(SEED, held=True)
    documents = {}
    while len(documents) < count:
        documents[corpus.document()] = None
    return [{'text': text} for text in documents]
