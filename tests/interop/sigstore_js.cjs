// Verifies and signs with the npm packages in the folder that is the first argument; a job comes as JSON on standard
// input, and a list goes to standard output. See test_independent_verifiers.py.
const { createRequire } = require('node:module');
const load = createRequire(`${process.argv[2]}/`);
const { bundleFromJSON, bundleToJSON } = load('@sigstore/bundle');
const { toSignedEntity, toTrustMaterial, Verifier } = load('@sigstore/verify');
const { TrustedRoot } = load('@sigstore/protobuf-specs');
const sign = load('@sigstore/sign');

function verify(root, { bundle, artifact, identity, issuer, timestamps }) {
  const verifier = new Verifier(root, { tlogThreshold: 1, ctlogThreshold: 1, timestampThreshold: timestamps });
  const content = artifact === null ? undefined : Buffer.from(artifact, 'base64');
  const policy = { subjectAlternativeName: identity, extensions: { issuer } };
  try {
    verifier.verify(toSignedEntity(bundleFromJSON(bundle), content), policy);
    return 'ok';
  } catch (error) {
    return `${error.code || error.name}: ${error.message}`;
  }
}

async function produce({ token, urls, rekor, statement, artifact }) {
  const signer = new sign.FulcioSigner({ fulcioBaseURL: urls.fulcio, identityProvider: { getToken: async () => token } });
  const witnesses = [
    new sign.RekorWitness({ rekorBaseURL: rekor === 1 ? urls.rekor1 : urls.rekor2, majorApiVersion: rekor, entryType: 'dsse' }),
    new sign.TSAWitness({ tsaBaseURL: urls.timestamp.replace('/api/v1/timestamp', '') }),
  ];
  const builder = statement === null ? new sign.MessageSignatureBundleBuilder({ signer, witnesses })
    : new sign.DSSEBundleBuilder({ signer, witnesses });
  const content = statement === null ? { data: Buffer.from(artifact, 'base64') }
    : { data: Buffer.from(statement), type: 'application/vnd.in-toto+json' };
  return bundleToJSON(await builder.create(content));
}

async function main() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const job = JSON.parse(Buffer.concat(chunks));
  const results = [];
  if (job.verify) {
    const root = toTrustMaterial(TrustedRoot.fromJSON(job.root));
    for (const each of job.verify) results.push(verify(root, each));
  } else {
    for (const each of job.sign) results.push(await produce(each));
  }
  console.log(JSON.stringify(results));
}

main();
