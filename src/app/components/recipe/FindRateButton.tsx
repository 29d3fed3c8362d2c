import { ChartSpline } from 'lucide-react';
import { useScreen } from '../../../stores/screen';
import { rateText } from '../../text/trial';
import { Button } from '../../ui/Button';

/** Opens the rate finder. */
export function FindRateButton() {
  const openDialog = useScreen((state) => state.openDialog);
  return (
    <Button size="small" onClick={() => openDialog('rate')}>
      <ChartSpline aria-hidden size={14} />
      {rateText.open}
    </Button>
  );
}
