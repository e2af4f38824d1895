// Sends the open image to Monolayer and lays the outlines of its cells over it.
//
// Put this file into Fiji's `plugins` folder and restart Fiji: it is then in the menu Plugins. It runs the command
// `monolayer`; where that is not on Fiji's PATH, give its whole path once. The outlines come as regions in the ROI
// Manager, called after their labels; the table of cells and all other results lie in the folder it names at the end.

#@ String (label = "Command", value = "monolayer", persist = true) command
#@ String (label = "Address (empty: this machine)", value = "", required = false) address
#@ Double (label = "Diameter of a typical nucleus (pixels; 0: by pixel size)", value = 0, min = 0) diameter

if (nImages == 0) exit("Open an image first.");
if (bitDepth() == 24) exit("A colour image: split its channels and take one.");
if (bitDepth() == 32) exit("Convert the image to 16 bits first.");
original = getImageID();
getDimensions(width, height, channels, slices, frames);
Stack.getPosition(channel, slice, frame);

folder = getDirectory("temp") + "monolayer-" + d2s(getTime(), 0) + File.separator;
results = folder + "results";
File.makeDirectory(folder);
setBatchMode(true);
run("Duplicate...", "title=image duplicate"); // the open image keeps its name and its place on the disk
saveAs("Tiff", folder + "image.tif");
close();
setBatchMode(false);
selectImage(original);

// exec takes no list: where an option isn't wanted, one that changes nothing stands in its place
size = "--model=nuclei";
if (diameter > 0) size = "--diameter=" + d2s(diameter, 2);
which = "--model=nuclei";
if (channels > 1) which = "--channel=" + d2s(channel, 0);
showStatus("Monolayer is working on " + getTitle() + " ...");
said = exec(command, "--api", address, "submit", folder + "image.tif", size, which, "--out", results, "--format", "imagej");

regions = results + File.separator + "imagej" + File.separator + "image.zip";
if (!File.exists(regions))
  exit("Monolayer did not label this image. In a terminal, this says why:\n \n" + command + " submit " + folder + "image.tif");
roiManager("reset");
roiManager("open", regions);
if (roiManager("count") > 0) roiManager("show all without labels");
showStatus(roiManager("count") + " cells; all results are in " + results);
print(said);
