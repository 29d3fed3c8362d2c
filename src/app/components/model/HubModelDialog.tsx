import { Download, ExternalLink, LoaderCircle } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { HubChoice, HubModel, Quantization } from '../../../hub/descriptions';
import { useDownloads } from '../../../stores/downloads';
import { useHub } from '../../../stores/hub';
import { useStorage } from '../../../stores/storage';
import { useTraining } from '../../../stores/training';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Facts } from '../../ui/Facts';
import { ErrorNotice, Notice } from '../../ui/Notice';
import { RadioList } from '../../ui/RadioList';
import { formatBytes, formatCompact, formatCount, formatPlural } from '../../util/format';
import { navigate } from '../../util/route';
import { AccessNotice } from './AccessNotice';
import { bestPrecision, Fit, precisionNames } from './Fit';

const quantizations: Record<Quantization, string> = {
  none: 'The weights exactly as they were published.',
  q8: 'Half the memory of 16 bits, hardly any loss. They are converted while they load.',
  nf4: 'A quarter of the memory, what QLoRA trains on. They are converted while they load.',
};

/** What is taken when nobody chooses: the safetensors, else the GGUF format that most people take. */
function firstChoice({ choices }: HubModel): HubChoice | undefined {
  const usable = choices.filter(({ problem }) => !problem);
  return (
    usable.find(({ kind }) => kind === 'safetensors') ?? usable.find(({ dtype }) => dtype === 'Q4_K_M') ?? usable[0]
  );
}

/** Why it cannot be taken now. */
function whyNot(
  { access }: HubModel,
  choice: HubChoice | undefined | null,
  active: boolean,
  training: boolean,
  room: number | null,
): string | null {
  if (access !== 'granted') return 'Its files cannot be read yet: see above.';
  if (!choice) return 'There is nothing in it that Tabtune can open.';
  if (choice.problem) return choice.problem.message;
  if (active) return 'It is being downloaded already.';
  if (choice.downloaded) return training ? 'A run is using the open model.' : null;
  if (room === null || choice.bytes <= room) return null;
  return `It needs ${formatBytes(choice.bytes)}, and this browser has ${formatBytes(room)} left for this page.`;
}

/** One model of the Hub before anything large is fetched: what it is, what it takes, and which form of it to take. */
export function HubModelDialog() {
  const { looking, model, modelError, look, closeLook } = useHub();
  const [picked, setPicked] = useState<{ source?: string; quantization?: Quantization }>({});
  const { report, refresh } = useStorage();
  const { downloads, fetchAndOpen, open } = useDownloads();
  const training = useTraining((state) => state.phase !== 'idle');
  const choice = model?.choices.find(({ source }) => source === picked.source) ?? (model && firstChoice(model));
  const plan =
    choice?.precisions.find(({ quantization }) => quantization === picked.quantization) ??
    (choice && bestPrecision(choice.precisions));
  const isOpen = looking !== null;
  // How much room is left decides whether a download can be kept.
  useEffect(() => {
    if (isOpen) void refresh();
  }, [isOpen, refresh]);
  const room = report && report.quota > 0 ? report.quota - report.usage : null;
  const active = downloads.some(
    ({ source, state }) => source === choice?.source && state !== 'done' && state !== 'failed',
  );
  const why = model && whyNot(model, choice, active, training, room);

  function take() {
    if (!choice) return;
    const quantization = plan?.quantization ?? 'none';
    closeLook();
    navigate('model');
    if (choice.downloaded) open(choice.source, quantization);
    else void fetchAndOpen(choice.source, quantization);
  }

  return (
    <Dialog
      open={isOpen}
      onClose={closeLook}
      shape="wide"
      title={model?.id ?? looking ?? ''}
      description={model ? <Origin model={model} /> : undefined}
      footer={
        model &&
        !model.problem && (
          <>
            {why && <p className="min-w-0 flex-1 self-center text-[0.8125rem] text-muted">{why}</p>}
            <Button variant="primary" why={why} onClick={take}>
              <Download aria-hidden size={16} />
              {choice?.downloaded ? 'Open' : `Download and open${choice ? `, ${formatBytes(choice.bytes)}` : ''}`}
            </Button>
          </>
        )
      }
    >
      <div className="space-y-5">
        {isOpen && !model && !modelError && (
          <p role="status" className="flex items-center gap-2 py-6 text-muted">
            <LoaderCircle aria-hidden size={16} className="animate-spin text-accent" />
            Asking the Hub what this is. Nothing large is fetched yet.
          </p>
        )}
        {modelError && looking !== null && (
          <ErrorNotice error={modelError} actions={<Button onClick={() => void look(looking)}>Try again</Button>} />
        )}
        {model?.problem && <ErrorNotice error={model.problem} />}
        {model && <AccessNotice model={model} />}
        {model && <ModelFacts model={model} choice={choice} />}
        {model?.facts?.kind === 'encoder' && (
          <Notice title="This model reads text and does not write any">
            <p>It can learn to sort texts, to mark words and to read more of your domain; not to answer.</p>
          </Notice>
        )}
        {model && model.choices.length > 0 && (
          <Choices
            model={model}
            choice={choice}
            quantization={plan?.quantization}
            onChoose={(source) => setPicked({ source })}
            onPrecision={(quantization) => setPicked({ source: choice?.source, quantization })}
          />
        )}
      </div>
    </Dialog>
  );
}

function Origin({ model }: { model: HubModel }) {
  return (
    <>
      <a className="underline underline-offset-2" href={model.url} target="_blank" rel="noreferrer">
        Model page <ExternalLink aria-hidden size={12} className="inline" />
      </a>
      , {model.revision} at commit <span className="font-mono text-[0.8125rem]">{model.commit.slice(0, 8)}</span>,{' '}
      {formatCompact(model.downloads)} downloads
    </>
  );
}

function ModelFacts({ model, choice }: { model: HubModel; choice: HubChoice | undefined | null }) {
  const { facts, licence, licenceUrl } = model;
  const link = licenceUrl && (
    <a className="underline underline-offset-2" href={licenceUrl} target="_blank" rel="noreferrer">
      {licence ?? 'see the model page'} <ExternalLink aria-hidden size={12} className="inline" />
    </a>
  );
  return (
    <Facts
      columns={4}
      facts={[
        { name: 'Licence', value: link || (licence ?? 'not stated') },
        ...(facts
          ? [
              {
                name: 'Architecture',
                value: facts.architecture,
                note: `${facts.layers} layers, width ${formatCount(facts.hiddenSize)}`,
              },
              {
                name: 'Parameters',
                value: formatCompact(facts.parameters),
                note: choice ? `stored as ${choice.dtype}` : undefined,
              },
              {
                name: 'Context',
                value: `${formatCount(facts.contextLength)} tokens`,
                note: `${formatCount(facts.vocabSize)} in the vocabulary`,
              },
            ]
          : []),
      ]}
    />
  );
}

function Choices({
  model,
  choice,
  quantization,
  onChoose,
  onPrecision,
}: {
  model: HubModel;
  choice: HubChoice | undefined | null;
  quantization: Quantization | undefined;
  onChoose: (source: string) => void;
  onPrecision: (quantization: Quantization) => void;
}) {
  return (
    <>
      {(model.choices.length > 1 || model.choices[0]?.kind === 'gguf') && (
        <RadioList
          label="Which files"
          value={choice?.source ?? null}
          onChange={onChoose}
          options={model.choices.map((option) => ({
            value: option.source,
            name: option.kind === 'safetensors' ? `Safetensors, ${option.dtype}` : option.label,
            aside: `${option.downloaded ? 'downloaded, ' : ''}${formatBytes(option.bytes)}`,
            why: option.problem?.message,
            children: option.kind === 'gguf' && option.precisions[0] && <Fit plan={option.precisions[0]} />,
          }))}
        />
      )}
      {choice && choice.precisions.length > 1 && (
        <RadioList
          label="Precision on the GPU"
          columns={3}
          value={quantization ?? null}
          onChange={onPrecision}
          options={choice.precisions.map((plan) => ({
            value: plan.quantization,
            name: precisionNames[plan.quantization],
            aside: formatBytes(plan.weightBytes),
            children: (
              <>
                <span className="block pb-1 text-[0.8125rem] text-muted">{quantizations[plan.quantization]}</span>
                <Fit plan={plan} brief />
              </>
            ),
          }))}
        />
      )}
      {choice?.precisions.length === 1 && choice.kind === 'safetensors' && <Fit plan={choice.precisions[0]!} />}
      {choice && (
        <details className="text-[0.8125rem]">
          <summary className="inline-block py-0.5 text-muted underline underline-offset-2">
            {formatPlural(choice.files.length, 'file')}, {formatBytes(choice.bytes)} to download
          </summary>
          <ul className="mt-1 space-y-0.5">
            {choice.files.map(({ name, bytes }) => (
              <li key={name} className="flex justify-between gap-4">
                <span className="min-w-0 font-mono text-xs break-all">{name}</span>
                <span className="shrink-0">{formatBytes(bytes)}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
