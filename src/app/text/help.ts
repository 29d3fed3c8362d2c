/** English of the help: fine-tuning in this product's words. One topic per screen's question, in the order in which they come up. */
import type { HelpId } from '../../stores/screen';

export interface HelpTopic {
  id: HelpId;
  title: string;
  /** Paragraphs; an array of strings is a list. */
  body: (string | string[])[];
}

export const helpText = {
  title: 'Help',
  description: 'Fine-tuning, explained with what you see here.',
  topics: 'Topics',
  next: 'Next',
  previous: 'Back',
};

export const helpTopics: HelpTopic[] = [
  {
    id: 'what',
    title: 'What fine-tuning is',
    body: [
      'A language model has read a great deal of text and predicts what comes next. **Fine-tuning** continues that training on your examples, so that the model learns to respond the way they do.',
      'Each step shows the model a few examples, measures how surprised it was by the right answers (the **loss**), and adjusts its weights a little so that it would be less surprised next time. After a few hundred steps it has picked up a habit: a tone, a format, a set of classes.',
      'Fine-tuning teaches a model how to answer. It is poor at teaching facts: a model that has seen a price list a few times will invent prices that look plausible.',
      'Everything here happens on your own GPU, in this tab. The result is a small file, the **adapter**, which is used together with the model you started from.',
    ],
  },
  {
    id: 'data',
    title: 'What data you need',
    body: [
      'Examples of what you want: questions with the answers you would give, texts with their class, sentences with their tags, or plain text to continue.',
      [
        '**Sort texts into classes**: start with 20 to 50 examples of each class.',
        '**Answer in a certain way**: 100 to 500 good answers change the tone; a few thousand change what it can do.',
        '**Read more of a domain**: a megabyte of text or more.',
      ],
      'Quality matters more than quantity: ten wrong labels in a hundred are learned like the others. The Data page lists what looks wrong and offers fixes, and the token view shows exactly what is read and what is learned from an example.',
      'Some examples are held out of training: the **validation split**. Only they can show what was really learned, so the same example must not be on both sides.',
    ],
  },
  {
    id: 'model',
    title: 'Choosing a model',
    body: [
      'The built-in model is tiny. It shows within a minute that everything works and sorts short texts well, but it cannot hold a conversation.',
      'For real answers, choose an **instruct** model from the shelf: it already follows instructions, and you only adapt its style. Larger models give better answers and need more memory and time. Each card says before the download whether the model fits your GPU.',
      '**Four bits**: a model stored this way needs about a quarter of the memory, with little loss of quality. Adapters can be trained on it as usual.',
      'For classes and tags an **encoder** (BERT and its relatives) is often as good as a language model ten times its size.',
    ],
  },
  {
    id: 'method',
    title: 'LoRA and the other methods',
    body: [
      'Training all of a model’s weights needs several times its memory. **LoRA** leaves them unchanged and learns a small correction for each layer: two thin matrices, whose **rank** sets how much they can hold. Use it unless you have a reason not to.',
      [
        '**Rank** 8 to 16 is enough for tone and format; 32 or more for a new skill.',
        '**Alpha** sets how strongly the correction counts; twice the rank is usual.',
        '**QLoRA** is LoRA on a model stored in four bits.',
        '**Full fine-tuning** changes everything. It can learn more and forget more. Use it for small models, with a low learning rate.',
        '**Prompt and prefix tuning** learn a few virtual tokens in front of each text: tiny files, weaker results.',
      ],
      'The **learning rate** is the setting that matters most. If it is too low, nothing is learned; if it is too high, the loss jumps or the answers turn to noise. The default depends on the method.',
    ],
  },
  {
    id: 'start',
    title: 'Before you start',
    body: [
      'The run card says what will be trained, how much memory and time it takes, and what must be fixed first. If the run does not fit, it offers changes and says how much each saves.',
      'An **epoch** is one pass over all training examples. One to three are usual. With fewer than a hundred examples, more may be needed; with many thousands, one is enough.',
      'The **batch** is the number of examples in one pass. If memory is short, use a smaller batch and accumulate more of them: the result is the same.',
      'Only one tab can train at a time. Switching to another tab is fine; closing this one interrupts the run, which can be resumed from its last checkpoint.',
    ],
  },
  {
    id: 'loss',
    title: 'Reading the loss',
    body: [
      'The **loss** is the model’s surprise at the right answers. Lower is better. A loss of 0.7 means that it gave the right next token a probability of about one half (e^-0.7); 2.3 means one in ten.',
      [
        '**Falls quickly, then slowly**: all is well.',
        '**Jagged**: batches differ. Look at the smoothed line.',
        '**Flat from the start**: the learning rate is too low, or there is nothing to learn.',
        '**Jumps up, or is not a number**: the learning rate is too high.',
      ],
      'The **validation loss** is measured on examples that were not trained on. The best checkpoint is where it is lowest, and that one is kept.',
      'Losses of different models or datasets cannot be compared. Compare a run with the base on the same data.',
    ],
  },
  {
    id: 'overfitting',
    title: 'Overfitting',
    body: [
      'When the training loss keeps falling while the validation loss rises, the model is memorising your examples instead of learning what they have in common. Its answers then repeat them, and everything else suffers.',
      [
        'Train for fewer epochs, or let early stopping do it.',
        'Use a smaller rank or a lower learning rate.',
        'Add dropout or weight decay.',
        'Best of all: add more examples, and more varied ones.',
      ],
      '**Forgetting** is related: the model gets better at your task and worse at everything else. The forgetting meter measures it on other text. LoRA forgets less than full fine-tuning, and replay, which mixes in other text, helps too.',
    ],
  },
  {
    id: 'compare',
    title: 'Judging the result',
    body: [
      'Ask the base and the tuned model the same questions, with prompts that were not in the training data. If the base does as well with a good prompt, you do not need the tuned one.',
      '**Strength** scales the adapter between none (0) and as trained (1). If 1 is too much and 0.5 is right, the learning rate was too high.',
      'A **temperature** of 0 always picks the most likely token, which makes comparisons fair. At higher ones, answers vary.',
    ],
  },
  {
    id: 'not',
    title: 'When not to fine-tune',
    body: [
      [
        'You want the model to know facts, documents or prices: look them up and put them into the prompt instead.',
        'A few examples in the prompt already do it: Compare can try that on the base.',
        'The right answer changes every week.',
        'You have fewer than about twenty examples, or they contradict one another.',
        'A wrong answer would do harm, and nobody checks the answers.',
      ],
      'A plain rule, a search or a small classifier is often the better tool. Tabtune trains classifiers too.',
    ],
  },
  {
    id: 'export',
    title: 'Taking it away',
    body: [
      'An **adapter** is a small folder in PEFT’s format. It needs the same base model wherever it is used, and its model card has the code.',
      'A **merged model** has the adapter worked into its weights. It is as large as the base, needs nothing else, and opens in transformers; llama.cpp’s converters turn it into a GGUF file.',
      'The export says what each format is for and what it cannot carry. Check the licence of the base model before you share anything: it also applies to what was trained from it.',
    ],
  },
  {
    id: 'words',
    title: 'Words',
    body: [
      [
        '**Token**: a word or a piece of one, the unit that models read and write. In English, about four letters.',
        '**Step**: one update of the weights. **Epoch**: one pass over the training examples.',
        '**Learning rate**: the size of a step. **Schedule**: how it changes over the run. **Warm-up**: small steps at first.',
        '**Adapter**: the trained weights, stored separately from the model. **Base**: the model without them.',
        '**Checkpoint**: a stored state of a run, to resume from. **Best**: the one with the lowest validation loss.',
        '**Masked**: read by the model but not learned, such as the question before an answer.',
        '**Perplexity**: e to the power of the loss; the number of equally likely tokens that the model seems to choose from.',
        '**Context**: the largest number of tokens that a model can read at once.',
        '**Quantised**: stored in fewer bits, such as four instead of sixteen.',
      ],
    ],
  },
];
