import { Tooltip as Base } from '@base-ui/react/tooltip';
import { TIP_POPUP, type Tip } from '../hooks/useTip';

/** The tooltip itself, beside its element. */
export function TipPopup({ tip }: { tip: Tip }) {
  return (
    <Base.Root open>
      <Base.Portal>
        <Base.Positioner
          anchor={tip.anchor}
          sideOffset={6}
          className={tip.passive ? 'pointer-events-none z-50 [&_*]:pointer-events-none' : 'z-50'}
        >
          <Base.Popup
            {...{ [TIP_POPUP]: '' }}
            className="max-w-72 rounded-md bg-ink px-2.5 py-1.5 text-[0.8125rem] leading-snug text-canvas shadow-lg"
          >
            {tip.text}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
