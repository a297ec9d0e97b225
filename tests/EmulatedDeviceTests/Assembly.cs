using XComposer2.Native.EmulatedDeviceTests;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

// One device, whose log of faults and schedule all tests share.
[assembly: Parallelization(Mode = ParallelMode.None)]
[assembly: AssemblyFixture(typeof(EmulatedDevice))]
