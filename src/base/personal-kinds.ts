/** Kinds of personal data and secrets that texts are searched for, as a recipe names them, with what one of each is called. */
export const personalKinds = {
  email: 'a mail address',
  phone: 'a phone number',
  secret: 'an API key or token',
  private_key: 'a private key',
  card: 'a card number',
  iban: 'an IBAN',
  ip: 'an IP address',
} as const;
export type PersonalKind = keyof typeof personalKinds;
