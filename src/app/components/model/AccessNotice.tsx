import { ExternalLink } from 'lucide-react';
import { useState } from 'react';
import type { HubModel } from '../../../hub/descriptions';
import { useHub } from '../../../stores/hub';
import { Button } from '../../ui/Button';
import { Input, Labelled } from '../../ui/Field';
import { Notice } from '../../ui/Notice';

/** A gated or private model: what that means, and how to get in. */
export function AccessNotice({ model }: { model: HubModel }) {
  const { settings, settingsError, setSettings } = useHub();
  const [token, setToken] = useState('');
  if (model.access === 'granted') return null;
  const terms = model.access === 'terms';
  return (
    <Notice
      tone="warning"
      title={model.gated ? 'This model is gated: its makers ask you to accept their terms' : 'This model is private'}
    >
      <ol className="list-decimal space-y-0.5 pl-5">
        {model.gated && (
          <li>
            <a className="underline underline-offset-2" href={model.url} target="_blank" rel="noreferrer">
              Open its page <ExternalLink aria-hidden size={12} className="inline" />
            </a>
            , log in and accept the terms.{terms && ' Your token works, but its owner has not accepted them yet.'}
          </li>
        )}
        <li>
          Make a read token{' '}
          <a
            className="underline underline-offset-2"
            href="https://huggingface.co/settings/tokens"
            target="_blank"
            rel="noreferrer"
          >
            in your account <ExternalLink aria-hidden size={12} className="inline" />
          </a>
          {model.gated ? '.' : ' that may see this model.'}
        </li>
        <li>Enter it here. It is kept in memory only, and is gone when this tab is closed or reloaded.</li>
      </ol>
      <form
        className="flex flex-wrap items-end gap-2 pt-1"
        onSubmit={(event) => {
          event.preventDefault();
          void setSettings({ ...settings, token: token.trim() || settings.token });
        }}
      >
        <Labelled label="Access token" className="min-w-0 flex-1 basis-56">
          <Input
            type="password"
            autoComplete="off"
            spellCheck={false}
            placeholder={settings.token ? 'one is set; write another to replace it' : 'hf_…'}
            value={token}
            onChange={(event) => setToken(event.target.value)}
          />
        </Labelled>
        <Button type="submit" why={token.trim() === '' && !settings.token && 'Enter a token first.'}>
          {token.trim() === '' && settings.token ? 'Look again' : 'Use this token'}
        </Button>
      </form>
      {settingsError && <p className="font-medium text-danger">{settingsError.message}</p>}
    </Notice>
  );
}
