export const apiKeyRevision = {
  name: 'api_key_revision',
  text: `select revision::text from revisions where name = 'api_keys'`,
};
