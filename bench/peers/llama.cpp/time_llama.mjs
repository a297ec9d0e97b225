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

const llama = await getLlama({gpu: false, build: "never", skipDownload: true, logLevel: "error", maxThreads: threads});
const model = await llama.loadModel({modelPath: process.argv[2], gpuLayers: 0});
const context = await model.createContext({contextSize: prefill + decode + 64, batchSize: 512, threads, sequences: 1});
const sequence = context.getSequence();
const tokens = Array.from({length: prefill}, (_, i) => (300 + i * 7919) % 92544);
const prefillMs = [], decodeMs = [];
for (let k = 0; k <= repeat; k++) {
    await sequence.clearHistory();
    let start = performance.now();
    await sequence.evaluateWithoutGeneratingNewTokens(tokens);
    const spentPrefill = performance.now() - start;
    // Known tokens, one at a time, each with its logits: evaluate() would sample over the whole vocabulary in JavaScript, and
    // evaluateWithoutGeneratingNewTokens() would leave out the vocabulary projection. _evaluate is internal; the version of the package is pinned.
    start = performance.now();
    for (let i = 0; i < decode; i++)
        for await (const _ of sequence._evaluate([(301 + i * 7919) % 92544], {}, {generateNewTokens: true, _noSampling: true})) { /* ends at once */ }
    const spentDecode = performance.now() - start;
    if (k > 0) { prefillMs.push(spentPrefill); decodeMs.push(spentDecode); }
}
console.log(JSON.stringify({systemInfo: llama.systemInfo, prefillMs, decodeMs}));
process.exit(0);
