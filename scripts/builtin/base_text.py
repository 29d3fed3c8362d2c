"""Text of the kind that the built-in model was trained on: what replay, EWC and the measure of forgetting need.

The documents are the corpus's own, chats and stories as the model read them (chat template and end of text included), of
the twentieth that was held out of its training: how well they are predicted is not a matter of memory.
"""
from corpus import Corpus

SEED = 5


def base_text(count):
    """`count` different documents."""
    corpus = Corpus(SEED, held=True)
    documents = {}
    while len(documents) < count:
        documents[corpus.document()] = None
    return [{'text': text} for text in documents]
