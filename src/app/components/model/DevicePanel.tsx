import { Gauge } from 'lucide-react';
import { useModel } from '../../../stores/model';
import { benchmarkText } from '../../text/benchmark';
import { deviceText as text } from '../../text/device';
import { Button } from '../../ui/Button';
import { Facts } from '../../ui/Facts';
import { Notice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { formatBytes } from '../../util/format';
import { BENCHMARK, navigate } from '../../util/route';

/** What this machine offers, as far as the browser reports it. */
export function DevicePanel() {
  const device = useModel((state) => state.device);
  if (!device) {
    return (
      <Panel title={text.title}>
        <p className="text-muted">{text.looking}</p>
      </Panel>
    );
  }
  if (!device.available) return null;
  const name = device.description || [device.vendor, device.architecture].filter(Boolean).join(' ') || text.unnamed;
  const sizes = device.subgroupSizes;
  const features = device.features.flatMap((feature) =>
    feature === 'subgroups' && sizes ? text.subgroupsOf(...sizes) : (text.featureNames[feature] ?? []),
  );
  return (
    <Panel
      title={text.title}
      aside={
        <Button size="small" onClick={() => navigate('model', { detail: BENCHMARK })}>
          <Gauge aria-hidden size={14} /> {benchmarkText.link}
        </Button>
      }
    >
      <div className="space-y-4">
        {device.software && (
          <Notice tone="warning" title={text.softwareTitle}>
            <p>{text.softwareText}</p>
          </Notice>
        )}
        <Facts
          columns={4}
          facts={[
            { name: text.gpu, value: name, note: device.software ? text.software : undefined },
            { name: text.largestBuffer, value: formatBytes(device.maxBufferSize) },
            { name: text.largestBinding, value: formatBytes(device.maxStorageBufferBindingSize) },
            {
              name: text.features,
              value: features.length > 0 ? features.join(', ') : text.noFeatures,
              note: device.features.includes('shader-f16') ? text.fp16 : text.noFp16,
            },
          ]}
        />
        <p className="text-[0.8125rem] text-muted">{text.memoryUnknown}</p>
      </div>
    </Panel>
  );
}
