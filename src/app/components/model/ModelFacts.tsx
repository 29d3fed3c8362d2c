import { ExternalLink } from 'lucide-react';
import { useHub } from '../../../stores/hub';
import { useModel } from '../../../stores/model';
import { useRecipe } from '../../../stores/recipe';
import { useFields } from '../../../stores/select';
import { common } from '../../text/common';
import { openingText, precisionNames, factText as text } from '../../text/model';
import { Button } from '../../ui/Button';
import { Facts } from '../../ui/Facts';
import { ErrorNotice, Notice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { ProgressBar } from '../../ui/Progress';
import { formatBytes, formatCompact, formatCount } from '../../util/format';

/** Where the open model came from, with the commit of a Hub model. */
function Origin({ source }: { source: string }) {
  const hub = /^hf:([\w.-]+\/[\w.-]+)(?:@([\w.-]+))?(?:\/(.+))?$/.exec(source);
  const endpoint = useHub((state) => state.settings.endpoint);
  if (!hub) return source.startsWith('builtin:') ? text.builtin : text.ownDisk;
  const [, id, commit = 'main', file] = hub;
  return (
    <>
      <a
        className="wrap-anywhere underline underline-offset-2"
        href={`${endpoint}/${id}/tree/${commit}`}
        target="_blank"
        rel="noreferrer"
      >
        {id} <ExternalLink aria-hidden size={12} className="inline" />
      </a>
      <span className="block text-[0.8125rem] font-normal text-muted">
        {[file, text.commit(commit.slice(0, 8))].filter(Boolean).join(', ')}
      </span>
    </>
  );
}

/** Facts about the chosen model, or the progress of loading it. */
export function ModelFacts() {
  const { status, info, error, loaded, total, source, open } = useModel(
    useFields('status', 'info', 'error', 'loaded', 'total', 'source', 'open'),
  );
  const model = useRecipe((state) => state.recipe.model);
  const set = useRecipe((state) => state.set);
  const look = useHub((state) => state.look);
  const { quantization } = model;
  if (status === 'failed' && error) {
    return (
      <ErrorNotice
        error={error}
        actions={
          <>
            {source?.startsWith('hf:') && (
              <Button variant="primary" onClick={() => void look(source)}>
                {openingText.showOnHub}
              </Button>
            )}
            {source && <Button onClick={() => open(model)}>{common.tryAgain}</Button>}
            {model.source !== 'builtin:stories' && (
              <Button onClick={() => set({ 'model.source': undefined })}>{common.useBuiltinModel}</Button>
            )}
          </>
        }
      />
    );
  }
  if (!info) {
    const progress =
      total > 0 ? openingText.amount(formatBytes(loaded), formatBytes(total)) : openingText.startingEngine;
    return (
      <Panel title={openingText.title}>
        <ProgressBar label={openingText.loaded} value={total > 0 ? loaded / total : null} text={progress} />
        <p className="mt-2 text-muted">{progress}</p>
      </Panel>
    );
  }
  const unchanged = quantization === 'none';
  return (
    <Panel title={info.title}>
      <p className="text-muted">
        {[
          common.parameters(formatCompact(info.parameters)),
          formatBytes(info.bytes),
          unchanged ? info.dtype : precisionNames[quantization],
          text.contextLength(formatCount(info.contextLength)),
          info.licence || text.noLicence,
        ].join(' · ')}
      </p>
      <details className="mt-2">
        <summary className="cursor-pointer font-medium">{text.details}</summary>
        <div className="mt-3">
          <Facts
            columns={4}
            facts={[
              {
                name: text.architecture,
                value: info.architecture,
                note: text.shape(info.layers, formatCount(info.hiddenSize)),
              },
              {
                name: text.parameters,
                value: formatCompact(info.parameters),
                note: text.sizeStoredAs(formatBytes(info.bytes), info.dtype),
              },
              {
                name: text.onTheGpu,
                value: unchanged ? info.dtype : precisionNames[quantization],
                note: unchanged ? text.unchanged : text.quantisedFrom(info.dtype),
              },
              { name: text.source, value: <Origin source={info.source} /> },
              { name: text.licence, value: info.licence || text.noLicence },
              {
                name: text.context,
                value: text.contextLength(formatCount(info.contextLength)),
                note: text.vocabulary(formatCount(info.vocabSize)),
              },
              {
                name: text.chatTemplate,
                value: info.hasChatTemplate ? text.yes : text.none,
                note: info.hasChatTemplate ? text.templateGaps(info.templateGaps) : text.plainTemplate,
              },
              {
                name: text.loraTargets,
                value: <span className="font-mono text-[0.8125rem]">{info.linearModules.join(', ')}</span>,
              },
            ]}
          />
        </div>
      </details>
      {info.notes?.map((note) => (
        <div key={note} className="mt-4">
          <Notice tone="warning">
            <p>{note}</p>
          </Notice>
        </div>
      ))}
    </Panel>
  );
}
