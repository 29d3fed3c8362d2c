import { useModel } from '../../../stores/model';
import { Facts } from '../../ui/Facts';
import { Notice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { formatBytes } from '../../util/format';

const featureNames: Record<string, string> = {
  'shader-f16': '16-bit floats',
  subgroups: 'subgroups',
  'timestamp-query': 'timestamps',
};

/** What this machine offers, as far as the browser tells. */
export function DevicePanel() {
  const device = useModel((state) => state.device);
  if (!device) {
    return (
      <Panel title="This device">
        <p className="text-muted">Asking the browser for a GPU.</p>
      </Panel>
    );
  }
  if (!device.available) return null;
  const name = device.description || [device.vendor, device.architecture].filter(Boolean).join(' ') || 'Unnamed GPU';
  const features = device.features.filter((feature) => feature in featureNames).map((feature) => featureNames[feature]);
  return (
    <Panel title="This device">
      <div className="space-y-4">
        {device.software && (
          <Notice tone="warning" title="This is a software renderer, not a graphics card">
            <p>
              Everything works and the results are the same, but it is tens to hundreds of times slower. If this
              computer has a GPU, switch on hardware acceleration in the browser’s settings. The built-in model stays
              usable.
            </p>
          </Notice>
        )}
        <Facts
          columns={4}
          facts={[
            { name: 'GPU', value: name, note: device.software ? 'software renderer' : undefined },
            { name: 'Largest buffer', value: formatBytes(device.maxBufferSize) },
            { name: 'Largest binding', value: formatBytes(device.maxStorageBufferBindingSize) },
            { name: 'Extras', value: features.length > 0 ? features.join(', ') : 'none' },
          ]}
        />
        <p className="text-[0.8125rem] text-muted">
          Browsers do not say how much memory a GPU has. The run card shows what a run needs.
        </p>
      </div>
    </Panel>
  );
}
