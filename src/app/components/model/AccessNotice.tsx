import { ExternalLink } from 'lucide-react';
import { useState } from 'react';
import type { HubModel } from '../../../hub/descriptions';
import { useHub } from '../../../stores/hub';
import { useFields } from '../../../stores/select';
import { accessText as text } from '../../text/model';
import { Button } from '../../ui/Button';
import { Input, Labelled } from '../../ui/Field';
import { Notice } from '../../ui/Notice';

const link = 'underline underline-offset-2';

/** A gated or private model: what that means, and how to get access. */
export function AccessNotice({ model }: { model: HubModel }) {
  const { settings, settingsError, setSettings } = useHub(useFields('settings', 'settingsError', 'setSettings'));
  const [token, setToken] = useState('');
  if (model.access === 'granted') return null;
  const known = settings.token !== null;
  const entered = token.trim();
  return (
    <Notice tone="warning" title={model.gated ? text.gated : text.private}>
      <ol className="list-decimal space-y-0.5 pl-5">
        {model.gated && (
          <li>
            <a className={link} href={model.url} target="_blank" rel="noreferrer">
              {text.openPage} <ExternalLink aria-hidden size={12} className="inline" />
            </a>
            {text.acceptTerms}
            {model.access === 'terms' && text.notAcceptedYet}
          </li>
        )}
        <li>
          {text.createToken}
          <a className={link} href="https://huggingface.co/settings/tokens" target="_blank" rel="noreferrer">
            {text.inAccount} <ExternalLink aria-hidden size={12} className="inline" />
          </a>
          {model.gated ? text.anyToken : text.tokenWithAccess}
        </li>
        <li>{text.enterToken}</li>
      </ol>
      <form
        className="flex flex-wrap items-end gap-2 pt-1"
        onSubmit={(event) => {
          event.preventDefault();
          void setSettings({ ...settings, token: entered || settings.token });
        }}
      >
        <Labelled label={text.token} className="min-w-0 flex-1 basis-56">
          <Input
            type="password"
            autoComplete="off"
            spellCheck={false}
            placeholder={known ? text.tokenSet : text.tokenPlaceholder}
            value={token}
            onChange={(event) => setToken(event.target.value)}
          />
        </Labelled>
        <Button type="submit" why={entered === '' && !known && text.enterFirst}>
          {entered === '' && known ? text.checkAgain : text.useToken}
        </Button>
      </form>
      {settingsError && <p className="font-medium text-danger">{settingsError.message}</p>}
    </Notice>
  );
}
