import { ArrowRight } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useData } from '../../../stores/data';
import { useHub } from '../../../stores/hub';
import { useModel } from '../../../stores/model';
import { usePlan } from '../../../stores/plan';
import { useRecipe } from '../../../stores/recipe';
import { useScreen } from '../../../stores/screen';
import { useFields } from '../../../stores/select';
import { adviceText as text } from '../../text/plan';
import { Button } from '../../ui/Button';
import { Notice } from '../../ui/Notice';
import { formatBytes, formatCompact, formatCount, formatDuration, formatPlural } from '../../util/format';
import { type Offer, offerFor, type TooSmall, tooSmall, wantsLarger } from './advice';

/** NetworkInformation, which not every browser has. */
const downlink = (): number | null =>
  (navigator as { connection?: { downlink?: number } }).connection?.downlink ?? null;

function useOnline(): boolean {
  const [online, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const look = () => setOnline(navigator.onLine);
    window.addEventListener('online', look);
    window.addEventListener('offline', look);
    return () => {
      window.removeEventListener('online', look);
      window.removeEventListener('offline', look);
    };
  }, []);
  return online;
}

/** Says when the open model is too small for the data, and offers one that is not. Nothing is fetched without a press. */
export function ModelAdvice() {
  const recipe = useRecipe((state) => state.recipe);
  const { info: model, device } = useModel(useFields('info', 'device'));
  const { dataset, tokens } = useData(useFields('dataset', 'tokens'));
  const forecast = usePlan((state) => state.forecast);
  const { shelf, loadShelf } = useHub(useFields('shelf', 'loadShelf'));
  const online = useOnline();
  const inputs = { recipe, model, dataset, tokens, forecast, device, shelf, online, downlink: downlink() };
  const small = tooSmall(inputs);
  const offer = offerFor(inputs);
  const wanted = wantsLarger(inputs) && shelf.length === 0;
  // The shelf is filled by its page, which may not have been opened yet.
  useEffect(() => {
    if (wanted) void loadShelf();
  }, [wanted, loadShelf]);
  if (!model || (!small && !offer)) return null;
  return (
    <Notice tone={small ? 'warning' : 'info'} title={small ? text.tooSmall(model.title) : text.offer}>
      {small && <Reasons small={small} />}
      {offer ? (
        <Offered offer={offer} software={device?.software === true} />
      ) : (
        !online && <p className="text-[0.8125rem]">{text.offline}</p>
      )}
    </Notice>
  );
}

function Reasons({ small: { parameters, spells, cut, contextLength } }: { small: TooSmall }) {
  return (
    <div className="space-y-1 text-[0.8125rem]">
      <p>{text.size(formatCompact(parameters))}</p>
      {spells !== null && <p>{text.spells(spells.toFixed(1))}</p>}
      {cut > 0 && <p>{text.cut(formatPlural(cut, 'example'), formatCount(contextLength), cut === 1)}</p>}
    </div>
  );
}

function Offered({
  offer: { card, plan, trainSeconds, downloadSeconds },
  software,
}: {
  offer: Offer;
  software: boolean;
}) {
  const look = useHub((state) => state.look);
  const closeDialog = useScreen((state) => state.closeDialog);
  const { title, bytes, downloaded, source } = card;
  return (
    <>
      <p className="text-[0.8125rem]">
        {text.what(title, plan?.quantization === 'nf4')}
        {downloaded
          ? text.downloaded
          : text.toDownload(formatBytes(bytes), downloadSeconds === null ? null : formatDuration(downloadSeconds))}
        {plan && text.memory(formatBytes(plan.totalBytes))}
        {trainSeconds !== null && text.training(formatDuration(trainSeconds))}. {!downloaded && text.nothingYet}
      </p>
      {software && <p className="text-[0.8125rem]">{text.slow}</p>}
      <Button
        size="small"
        className="mt-1 h-auto py-1"
        onClick={() => {
          closeDialog();
          void look(source, plan?.quantization ?? null);
        }}
      >
        {text.look(title)}
        <ArrowRight aria-hidden size={14} />
      </Button>
    </>
  );
}
