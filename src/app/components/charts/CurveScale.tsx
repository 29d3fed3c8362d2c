import { usePreferences } from '../../../stores/preferences';
import { useFields } from '../../../stores/select';
import { lossText as text } from '../../text/train';
import { Segmented } from '../../ui/Segmented';

/** How loss curves are drawn everywhere: smoothed or not, linear or logarithmic. */
export function CurveScale() {
  const { smoothing, logScale, set } = usePreferences(useFields('smoothing', 'logScale', 'set'));
  return (
    <>
      <label className="flex items-center gap-2 text-[0.8125rem]">
        {text.smoothing}
        <input
          type="range"
          min={0}
          max={0.95}
          step={0.05}
          value={smoothing}
          aria-valuetext={smoothing === 0 ? text.smoothingOff : String(smoothing)}
          onChange={(event) => set({ smoothing: event.target.valueAsNumber })}
          className="h-6 w-24"
        />
      </label>
      <Segmented
        label={text.scale}
        value={logScale ? 'log' : 'linear'}
        onChange={(value) => set({ logScale: value === 'log' })}
        options={[
          { value: 'linear', label: text.linear },
          { value: 'log', label: text.log },
        ]}
      />
    </>
  );
}
