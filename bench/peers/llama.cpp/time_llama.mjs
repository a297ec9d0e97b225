// Times llama.cpp (the build in the npm package node-llama-cpp) with one GGUF file on the CPU: prefill, then decode.
//   node time_llama.mjs MODEL.gguf --threads 2 --prefill 512 --decode 64 --repeat 1        (from the folder with node_modules)
// Prints one JSON object with one time per repetition, after a warm-up.
import {createRequire} from "node:module";
import {pathToFileURL} from "node:url";
import path from "node:path";

const require = createRequire(path.join(process.cwd(), "package.json"));
const {getLlama} = await import(pathToFileURL(require.resolve("node-llama-cpp")).href);
const option = (name) => Number(process.argv[process.argv.indexOf(name) + 1]);
const threads = option("--threads"), prefill = option("--prefill"), decode = option("--decode"), repeat = option("--repeat");

const token = (i) => i % 92544;
const start0 = performance.now();
const llama = await getLlama({gpu: false, build: "never", skipDownload: true, logLevel: "error", maxThreads: threads});
const model = await llama.loadModel({modelPath: process.argv[2], gpuLayers: 0});
const context = await model.createContext({contextSize: prefill + decode + 64, batchSize: 512, threads, sequences: 1});
const loadMs = performance.now() - start0;
const sequence = context.getSequence();

// Tokens with the logits of the last one and without a sampler: evaluate() would sample over the whole vocabulary in JavaScript, and
// evaluateWithoutGeneratingNewTokens() leaves out the vocabulary projection. _evaluate is internal; the package's version is pinned.
async function step(tokens) {
    for await (const _ of sequence._evaluate(tokens, {}, {generateNewTokens: true, _noSampling: true})) { /* ends after the tokens */ }
}

const prompt = Array.from({length: prefill}, (_, i) => token(300 + i * 7919));
const prefillMs = [], decodeMs = [];
for (let k = 0; k <= repeat; k++) {
    await sequence.clearHistory();
    let start = performance.now();
    await step(prompt);
    const spentPrefill = performance.now() - start;
    start = performance.now();
    for (let i = 0; i < decode; i++)
        await step([token(301 + i * 7919)]);
    const spentDecode = performance.now() - start;
    if (k > 0) { prefillMs.push(spentPrefill); decodeMs.push(spentDecode); }
}
console.log(JSON.stringify({systemInfo: llama.systemInfo, loadMs, peakBytes: process.resourceUsage().maxRSS * 1024, prefillMs, decodeMs}));
process.exit(0);
