export const hasActiveApiKey = {
  name: 'has_active_api_key',
  text: `select exists (select from api_keys where active) as found`,
};
