/**
 * What bundles of pg have as `navigator`: pg looks there for a Cloudflare worker, then at `Response`, which makes Node.js
 * load its whole HTTP client.
 */
export const PG_NAVIGATOR = '{ "userAgent": "Node.js" }';
