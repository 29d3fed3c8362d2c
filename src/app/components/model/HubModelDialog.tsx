import { Download, ExternalLink, LoaderCircle } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { HubChoice, HubModel, Quantization } from '../../../hub/descriptions';
import { useDownloads } from '../../../stores/downloads';
import { useHub } from '../../../stores/hub';
import { useFields } from '../../../stores/select';
import { useStorage } from '../../../stores/storage';
import { runActive, useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { hubModelText as text } from '../../text/hub';
import { factText, precisionNames } from '../../text/model';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Facts } from '../../ui/Facts';
import { ErrorNotice, Notice } from '../../ui/Notice';
import { RadioList } from '../../ui/RadioList';
import { formatBytes, formatCompact, formatCount, formatPlural } from '../../util/format';
import { navigate } from '../../util/route';
import { AccessNotice } from './AccessNotice';
import { bestPrecision, Fit } from './Fit';

/** The default choice: the safetensors, else the most popular GGUF format. */
function firstChoice({ choices }: HubModel): HubChoice | undefined {
  const usable = choices.filter(({ problem }) => !problem);
  return (
    usable.find(({ kind }) => kind === 'safetensors') ?? usable.find(({ dtype }) => dtype === 'Q4_K_M') ?? usable[0]
  );
}

/** Why it cannot be downloaded or opened now. */
function whyNot(
  { access }: HubModel,
  choice: HubChoice | undefined | null,
  active: boolean,
  training: boolean,
  room: number | null,
): string | null {
  if (access !== 'granted') return text.noAccess;
  if (!choice) return text.nothingUsable;
  if (choice.problem) return choice.problem.message;
  if (active) return text.alreadyDownloading;
  if (choice.downloaded) return training ? common.modelInUse : null;
  if (room === null || choice.bytes <= room) return null;
  return text.noRoom(formatBytes(choice.bytes), formatBytes(room));
}

/** A model of the Hub before its weights are downloaded: what it is, what it needs, and which files and precision to use. */
export function HubModelDialog() {
  const { looking, advised, model, modelError, look, closeLook } = useHub(
    useFields('looking', 'advised', 'model', 'modelError', 'look', 'closeLook'),
  );
  const [picked, setPicked] = useState<{ source?: string; quantization?: Quantization }>({});
  const room = useStorage(({ report }) => (report && report.quota > 0 ? report.quota - report.usage : null));
  const refresh = useStorage((state) => state.refresh);
  const fetchAndOpen = useDownloads((state) => state.fetchAndOpen);
  const open = useDownloads((state) => state.open);
  const training = useTraining(runActive);
  const choice = model?.choices.find(({ source }) => source === picked.source) ?? (model && firstChoice(model));
  const plan =
    choice?.precisions.find(({ quantization }) => quantization === (picked.quantization ?? advised)) ??
    (choice && bestPrecision(choice.precisions));
  const isOpen = looking !== null;
  // The space left decides whether a download can be stored.
  useEffect(() => {
    if (isOpen) void refresh();
  }, [isOpen, refresh]);
  const active = useDownloads(({ downloads }) =>
    downloads.some(({ source, state }) => source === choice?.source && state !== 'done' && state !== 'failed'),
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
            {why && <p className="min-w-min grow basis-48 self-center text-[0.8125rem] text-muted">{why}</p>}
            <Button variant="primary" why={why} onClick={take}>
              <Download aria-hidden size={16} />
              {choice?.downloaded ? text.open : choice ? text.downloadBytes(formatBytes(choice.bytes)) : text.download}
            </Button>
          </>
        )
      }
    >
      <div className="space-y-5">
        {isOpen && !model && !modelError && (
          <p role="status" className="flex items-center gap-2 py-6 text-muted">
            <LoaderCircle aria-hidden size={16} className="animate-spin text-accent" />
            {text.looking}
          </p>
        )}
        {modelError && looking !== null && (
          <ErrorNotice
            error={modelError}
            actions={<Button onClick={() => void look(looking, advised)}>{common.tryAgain}</Button>}
          />
        )}
        {model?.problem && <ErrorNotice error={model.problem} />}
        {model && <AccessNotice model={model} />}
        {model && <ModelFacts model={model} choice={choice} />}
        {model?.facts?.kind === 'encoder' && (
          <Notice title={text.encoder.title}>
            <p>{text.encoder.text}</p>
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
        {text.modelPage} <ExternalLink aria-hidden size={12} className="inline" />
      </a>
      {text.origin(model.revision)}
      <span className="font-mono text-[0.8125rem]">{model.commit.slice(0, 8)}</span>
      {text.downloads(formatCompact(model.downloads))}
    </>
  );
}

function ModelFacts({ model, choice }: { model: HubModel; choice: HubChoice | undefined | null }) {
  const { facts, licence, licenceUrl } = model;
  const link = licenceUrl && (
    <a className="underline underline-offset-2" href={licenceUrl} target="_blank" rel="noreferrer">
      {licence ?? factText.seeModelPage} <ExternalLink aria-hidden size={12} className="inline" />
    </a>
  );
  return (
    <Facts
      columns={4}
      facts={[
        { name: factText.licence, value: link || (licence ?? factText.noLicence) },
        ...(facts
          ? [
              {
                name: factText.architecture,
                value: facts.architecture,
                note: factText.shape(facts.layers, formatCount(facts.hiddenSize)),
              },
              {
                name: factText.parameters,
                value: formatCompact(facts.parameters),
                note: choice ? factText.storedAs(choice.dtype) : undefined,
              },
              {
                name: factText.context,
                value: factText.contextLength(formatCount(facts.contextLength)),
                note: factText.vocabulary(formatCount(facts.vocabSize)),
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
          label={text.files}
          value={choice?.source ?? null}
          onChange={onChoose}
          options={model.choices.map((option) => ({
            value: option.source,
            name: option.kind === 'safetensors' ? text.safetensors(option.dtype) : option.label,
            aside: option.downloaded ? text.downloadedSize(formatBytes(option.bytes)) : formatBytes(option.bytes),
            why: option.problem?.message,
            children: option.kind === 'gguf' && option.precisions[0] && <Fit plan={option.precisions[0]} />,
          }))}
        />
      )}
      {choice && choice.precisions.length > 1 && (
        <RadioList
          label={text.precision}
          columns={3}
          value={quantization ?? null}
          onChange={onPrecision}
          options={choice.precisions.map((plan) => ({
            value: plan.quantization,
            name: precisionNames[plan.quantization],
            aside: formatBytes(plan.weightBytes),
            children: (
              <>
                <span className="block pb-1 text-[0.8125rem] text-muted">{text.precisionHelp[plan.quantization]}</span>
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
            {text.fileList(formatPlural(choice.files.length, 'file'), formatBytes(choice.bytes))}
          </summary>
          <ul className="mt-1 space-y-0.5">
            {choice.files.map(({ name, bytes }) => (
              <li key={name} className="flex justify-between gap-4">
                <span className="min-w-0 font-mono text-xs wrap-anywhere">{name}</span>
                <span className="shrink-0">{formatBytes(bytes)}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
