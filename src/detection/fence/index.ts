/** What the composition root and the commands may use of the fence. */
export { loadPartners, type Partners } from './load-partners';
