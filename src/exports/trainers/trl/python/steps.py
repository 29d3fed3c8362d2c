def read_rows(name):
    """data/NAME.jsonl, a row a line; None without the file."""
    file = HERE / "data" / f"{name}.jsonl"
    return load_dataset("json", data_files=str(file), split="train") if file.exists() else None


def read_steps():
    """The rows of each step, as line numbers of data/train.jsonl, in the order in which Tabtune takes them."""
    with open(HERE / "data" / "steps.jsonl", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


STEPS = read_steps()
WORLD_SIZE = int(os.environ.get("WORLD_SIZE", "1"))
# Rows of a micro-batch and micro-batches of a step on each process. Together they hold a step's rows, whatever the number of
# processes: two processes accumulate half as often, or take half as many rows at a time. Where a loss compares the rows of a
# micro-batch, those stay together, and a process may have none.
ROWS_OF_A_STEP = max(len(rows) for rows in STEPS)
MICRO_BATCH = BATCH_SIZE if WHOLE_BATCHES else min(BATCH_SIZE, math.ceil(ROWS_OF_A_STEP / WORLD_SIZE))
ACCUMULATION = math.ceil(ROWS_OF_A_STEP / (MICRO_BATCH * WORLD_SIZE))


class MicroBatches:
    """The batches of one process: a step's micro-batches are dealt out in turn, and places that are left over stay empty."""

    def __init__(self, steps, rank, world_size):
        self.steps, self.rank, self.world_size = steps, rank, world_size
        self.places = [math.ceil(len(rows) / (MICRO_BATCH * world_size)) for rows in steps]

    def __len__(self):
        return sum(max(ACCUMULATION, places) for places in self.places)

    def __iter__(self):
        for rows, places in zip(self.steps, self.places, strict=True):
            batches = [rows[at : at + MICRO_BATCH] for at in range(0, len(rows), MICRO_BATCH)]
            for place in range(max(ACCUMULATION, places)):
                number = place * self.world_size + self.rank
                yield batches[number] if number < len(batches) else []


class TabtuneSteps:
    """For a Trainer: the rows of data/steps.jsonl, however many processes share them, and evaluation as in Tabtune."""

    def evaluations(self):
        """Steps and losses so far, those of the checkpoint that a run goes on from included."""
        return [(row["step"], row["eval_loss"]) for row in self.state.log_history if "eval_loss" in row]

    def batches(self, dataset, steps):
        return DataLoader(
            dataset,
            batch_sampler=MicroBatches(steps, self.args.process_index, self.args.world_size),
            collate_fn=self.data_collator,
            num_workers=self.args.dataloader_num_workers,
            pin_memory=self.args.dataloader_pin_memory,
        )

    def get_train_dataloader(self):
        if self.args.world_size != WORLD_SIZE:
            raise SystemExit("Start several processes with accelerate launch or torchrun, which say how many there are.")
        return self.batches(self.train_dataset, STEPS)

    def log(self, logs, *args, **kwargs):
        self.state.epoch = self.state.global_step / STEPS_PER_EPOCH
        super().log(logs, *args, **kwargs)

    def evaluate(self, *_, **__):
        """The mean over all targets of the validation rows. The best weights are saved; EARLY_STOPPING evaluations without better
        ones end the run."""
        everything = [list(range(len(self.eval_dataset)))]
        targets = sum(targets_of(batch) for batch in self.batches(self.eval_dataset, everything))
        targets = self.accelerator.gather(torch.tensor([targets], device=self.args.device)).sum()
        self.model_wrapped.eval()
        loss = torch.zeros(1, device=self.args.device)
        smoother, self.label_smoother = self.label_smoother, None  # labels are smoothed in training only
        with torch.no_grad():
            for batch in self.batches(self.eval_dataset, everything):
                loss += self.compute_loss(self.model_wrapped, self._prepare_inputs(batch), num_items_in_batch=targets)
        self.label_smoother = smoother
        metrics = {"eval_loss": self.accelerator.gather(loss).mean().item()}
        trained = [past for step, past in self.evaluations() if step > 0]
        self.log(metrics)
        if self.state.global_step > 0:
            best = trained.index(min(trained)) if trained else -1
            if best < 0 or metrics["eval_loss"] < trained[best]:
                save(self)
            elif len(trained) - best == EARLY_STOPPING:
                self.control.should_training_stop = True
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def finish(self):
        """What remains after the last step: its evaluation, or, without validation rows, saving it."""
        if self.eval_dataset is None:
            save(self)
        elif self.state.global_step not in [step for step, _ in self.evaluations()]:
            self.evaluate()
        self.save_state()
